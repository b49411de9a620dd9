// Builds the page (src/web) into dist/web, or serves it with reload: `build-web.ts --dev [--server http://127.0.0.1:PORT]`
// hands /api to a running `liang serve`. With --local: the page that needs no server (src/web/local), into dist/local, with
// the built-in models beside it and the headers its host should send. Not here: serving what was built (src/server).
import { cpSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { build, createServer, type InlineConfig, type Plugin } from "vite";
import { builtInFiles } from "../src/store/built-in-files.ts";

const root = resolve(import.meta.dirname, "../src/web");
const flagValue = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};

/** KaTeX lists every font three times for old browsers; all that run this page read woff2. */
const onlyWoff2: Plugin = {
  name: "only-woff2",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("katex") || !id.includes(".css")) return undefined;
    return { code: code.replaceAll(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\([^)]*\)/g, ""), map: null };
  },
};

const local = process.argv.includes("--local");
const outDir = flagValue("--out") ?? resolve(root, local ? "../../dist/local" : "../../dist/web");

/**
 * What a host should send with the page that needs no server, in the form that several static hosts read: it is isolated
 * from other sites, so that threads may share memory, and it can reach nothing but its own files.
 */
const HEADERS = `/*
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
  Content-Security-Policy: default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer
`;

const besidesLocalPage: Plugin = {
  name: "besides-local-page",
  writeBundle() {
    cpSync(join(root, "public"), outDir, { recursive: true });
    for (const { file } of builtInFiles) cpSync(resolve(root, "../../models", file), join(outDir, "models", file));
    writeFileSync(join(outDir, "_headers"), HEADERS);
  },
};

/** A browser runs no machine code, so what emits it stays out: a fifth of the worker's code. */
const noMachineCode: Plugin = {
  name: "no-machine-code",
  load(id) {
    if (!id.endsWith("/lanes/x64/emit.ts")) return undefined;
    const refuse = `() => { throw new Error("no machine code in a browser"); }`;
    return `export const emitCode = ${refuse}; export const emitListing = ${refuse};`;
  },
};

export const webConfig: InlineConfig = {
  root: local ? join(root, "local") : root,
  configFile: false,
  base: "./",
  plugins: [onlyWoff2, react(), ...(local ? [besidesLocalPage] : [])],
  worker: { format: "es", plugins: () => [noMachineCode] },
  build: {
    outDir,
    emptyOutDir: true,
    target: "es2023",
    cssTarget: ["chrome123", "safari17.5", "firefox128"], // the first with light-dark(): colours stay as they are written
    assetsInlineLimit: 0, // data: addresses would need a wider Content-Security-Policy than 'self'
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: flagValue("--server") ?? "http://127.0.0.1:8080", changeOrigin: true } },
  },
};

if (process.argv.includes("--dev")) {
  const server = await createServer(webConfig);
  await server.listen();
  server.printUrls();
} else {
  await build(webConfig);
}
