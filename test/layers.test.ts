// Holds the house rules that a compiler does not: the import rule between layers, the walls, and file sizes.
// The table is ARCHITECTURE.md's; change both in one commit.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, test } from "node:test";

const root = resolve(import.meta.dirname, "..");
const LAYERS: Readonly<Record<string, number>> = {
  base: 0,
  numeric: 1,
  platform: 1,
  format: 2,
  text: 2,
  image: 2,
  lanes: 2,
  store: 2,
  graph: 3,
  device: 4,
  nn: 5,
  models: 6,
  engine: 7,
  chat: 8,
  convert: 8,
  eval: 10,
  train: 11,
  quantize: 11,
  server: 11,
  web: 12,
  cli: 12,
};
/** Folders that must not be reached from these, whatever the numbers say. */
const WALLS: Readonly<Record<string, readonly string[]>> = {
  models: ["base", "nn", "graph", "numeric", "models"], // the one list that allows: see below
  server: ["graph", "nn", "device", "lanes", "models", "engine"],
  web: ["graph", "nn", "device", "lanes", "models", "engine"],
  cli: ["graph", "nn", "device", "lanes", "models", "engine"],
};
const HOST_MODULES = /^node:(fs|os|process|child_process|worker_threads|http|https|net)(\/|$)/;
const HOST_FOLDERS = new Set(["platform", "store", "cli", "server"]); // the server listens; it touches no files but the page's
const LINES_MAX = 500;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const code = text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const pattern = /(?:from|import)\s*\(?\s*"([^"]+)"/g;
  return { path, text, imports: [...code.matchAll(pattern)].map((match) => match[1]) };
}

const isCode = (path: string): boolean => /\.(ts|tsx|css)$/.test(path);
const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);
const sources = filesUnder("src").filter(isCode).map(read);
const folderOf = (path: string): string => path.split("/")[1];

/** The src folder an import reaches, or undefined for packages and Node. */
function target(source: Source, specifier: string): string | undefined {
  if (specifier === "#platform") return "platform";
  if (!specifier.startsWith(".")) return undefined;
  const path = relative(root, resolve(root, source.path, "..", specifier));
  return path.startsWith("src/") ? folderOf(path) : undefined;
}

describe("the house", () => {
  test("every folder of src is a layer", () => {
    const folders = new Set(sources.map((source) => folderOf(source.path)).filter((name) => !name.endsWith(".ts")));
    for (const folder of folders) assert.ok(folder in LAYERS, `src/${folder} is in no layer`);
  });

  test("a file imports from its own folder or a lower layer", () => {
    const wrong: string[] = [];
    for (const source of sources.filter(({ path }) => path.split("/").length > 2 && !isTest(path))) {
      const own = folderOf(source.path);
      for (const specifier of source.imports) {
        const other = target(source, specifier);
        if (other === undefined || other === own) continue;
        const typesOfServer = own === "web" && specifier.endsWith("/api-types.ts");
        if (other.endsWith(".ts") || (LAYERS[other] >= LAYERS[own] && !typesOfServer)) {
          wrong.push(`${source.path} imports ${specifier}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("no two files import each other, directly or through others", () => {
    const byPath = new Map(sources.filter(({ path }) => !isTest(path)).map((source) => [source.path, source]));
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (state.get(path) === "done" || !byPath.has(path)) return;
      if (state.get(path) === "open") {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
        return;
      }
      state.set(path, "open");
      for (const specifier of byPath.get(path)!.imports.filter((name) => name.startsWith("."))) {
        visit(relative(root, resolve(root, path, "..", specifier)), [...trail, path]);
      }
      state.set(path, "done");
    };
    for (const path of byPath.keys()) visit(path, []);
    assert.deepEqual(cycles, []);
  });

  test("walls hold: families see parts and graphs only, people's side never sees tensors", () => {
    const wrong: string[] = [];
    for (const source of sources.filter(({ path }) => !isTest(path))) {
      const own = folderOf(source.path);
      const wall = WALLS[own];
      if (wall === undefined) continue;
      for (const specifier of source.imports) {
        const other = target(source, specifier);
        if (other === undefined) continue;
        if (own === "models" ? !wall.includes(other) : wall.includes(other)) {
          wrong.push(`${source.path} imports ${specifier}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  test("only platform, store, server and cli name the host", () => {
    const wrong = sources
      .filter(({ path }) => !isTest(path) && !HOST_FOLDERS.has(folderOf(path)))
      .flatMap(({ path, imports, text }) => [
        ...imports.filter((name) => HOST_MODULES.test(name)).map((name) => `${path} imports ${name}`),
        ...(/(?<![\w."'`/-])process\.(env|argv|exit|stdout|stderr|platform)\b/.test(text)
          ? [`${path} names process`]
          : []),
      ]);
    assert.deepEqual(wrong, []);
  });

  test("no file is over 500 lines, data tables marked in their first line excepted", () => {
    const all = [...sources, ...["test", "bench", "scripts"].flatMap(filesUnder).filter(isCode).map(read)];
    const long = all
      .filter(({ text }) => !/^\/\/ data table/i.test(text))
      .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > LINES_MAX);
    assert.deepEqual(long, []);
  });

  test("run.ts is at most 500 lines and imports nothing of src and no package", () => {
    const twin = read("run.ts");
    assert.ok(twin.text.split("\n").length - 1 <= LINES_MAX);
    assert.deepEqual(
      twin.imports.filter((name) => !name.startsWith("node:")),
      [],
    );
  });
});
