// Makes `npm pack` and `npm publish` give what a consumer needs: compiled JavaScript and types in dist/, the built page,
// the built-in model, and a package.json without what only this repository needs.
//
//   pack.ts prepare   (npm's prepack)   build, then put the published package.json in place of ours
//   pack.ts restore   (npm's postpack)  put ours back; does nothing when it is in its place
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const manifestPath = join(root, "package.json");
/** Our own package.json while the published one is in its place. */
const keptPath = join(root, "package.json.kept");
const dist = join(root, "dist");
const PAGE = "web"; // dist/web is made by build-web.ts, not by the compiler

type Manifest = Record<string, unknown> & { optionalDependencies?: Record<string, string> };

/** Node itself, which the repository pins; a user brings their own. */
const NODE_PACKAGES = /^node-(bin-)?(linux|win|darwin)-/;
const OURS_ONLY = ["devDependencies", "scripts", "imports", "private", "optionalDependencies"];

/** The package.json that consumers get. */
export function publishedManifest(manifest: Manifest): Manifest {
  const optional = Object.entries(manifest.optionalDependencies ?? {}).filter(([name]) => !NODE_PACKAGES.test(name));
  const kept = Object.entries(manifest).filter(([name]) => !OURS_ONLY.includes(name));
  return {
    ...Object.fromEntries(kept),
    ...(optional.length > 0 && { optionalDependencies: Object.fromEntries(optional) }),
    bin: { liang: "dist/bin.js" },
    exports: {
      ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
      "./browser": { types: "./dist/browser.d.ts", default: "./dist/browser.js" },
      "./package.json": "./package.json",
    },
  };
}

/** The compiled files resolve `#platform` by this, in the repository and in the package. */
const DIST_MANIFEST = {
  type: "module",
  imports: { "#platform": { browser: "./platform/browser/index.js", default: "./platform/node/index.js" } },
};
const BIN = `#!/usr/bin/env node
import { enableCompileCache } from "node:module";
if (Number.parseInt(process.versions.node) < 24) {
  console.error("liang: this is Node " + process.versions.node + ", Liang needs 24 or newer.");
  process.exit(1);
}
enableCompileCache(); // V8's compiled code, in the system's temporary folder: a start takes half of the time
await import("./cli/main.js");
`;

/** Modules of threads are named by their sources' names, which the compiler leaves alone. */
function renameThreads(): void {
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".js") || name.startsWith(PAGE)) continue;
    const text = readFileSync(join(dist, name), "utf8");
    const renamed = text.replaceAll(/new Worker\(new URL\("(\.\/[\w-]+)\.ts"/g, 'new Worker(new URL("$1.js"');
    if (renamed !== text) writeFileSync(join(dist, name), renamed);
  }
}

/** Compiles the sources and builds the page into dist/. */
function build(): void {
  mkdirSync(dist, { recursive: true });
  for (const name of readdirSync(dist)) if (name !== PAGE) rmSync(join(dist, name), { recursive: true });
  // what the builders say goes to standard error: `npm pack --json` owns the other
  const node = (...args: string[]): unknown =>
    execFileSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] });
  node(join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json");
  renameThreads();
  node(join(root, "scripts/build-web.ts"));
  writeFileSync(join(dist, "package.json"), `${JSON.stringify(DIST_MANIFEST, null, 2)}\n`);
  writeFileSync(join(dist, "bin.js"), BIN, { mode: 0o755 });
}

function prepare(): void {
  restore(); // of a run that was killed
  build();
  const manifest = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  cpSync(manifestPath, keptPath);
  try {
    writeFileSync(manifestPath, `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
  } catch (error) {
    restore();
    throw error;
  }
}

function restore(): void {
  if (existsSync(keptPath)) renameSync(keptPath, manifestPath);
}

if (import.meta.main) {
  const actions: Readonly<Record<string, () => void>> = { prepare, restore };
  const [name] = process.argv.slice(2);
  if (!Object.hasOwn(actions, name)) throw new Error(`pack.ts does ${Object.keys(actions).join(" or ")}, not ${name}.`);
  actions[name]();
}
