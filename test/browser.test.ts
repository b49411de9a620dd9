// What a browser loads names nothing of Node: the modules that the browser's door, the page's own server and their threads
// reach by imports that stay at run time. Not here: that they work there (test/web).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const root = resolve(import.meta.dirname, "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  imports: Record<string, { browser: string }>;
};

/** What a module imports or re-exports when it runs, and the modules of threads that it names. */
function importsOf(path: string): string[] {
  const code = readFileSync(path, "utf8").replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const patterns = [
    /(?:^|\n)(?:import|export)\s+(?!type\s)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/g,
    /\bimport\("([^"]+)"\)/g,
    /new Worker\(new URL\("([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([, specifier]) => specifier));
}

/** All modules reached from `entry`, and what is imported that is no file of ours, with who imports it. */
function reach(entry: string): { files: Set<string>; packages: string[] } {
  const files = new Set<string>();
  const packages: string[] = [];
  const open = [join(root, entry)];
  while (open.length > 0) {
    const path = open.pop()!;
    if (files.has(path)) continue;
    files.add(path);
    for (const specifier of importsOf(path)) {
      const own = manifest.imports[specifier]?.browser;
      if (own !== undefined) open.push(join(root, own));
      else if (specifier.startsWith(".")) open.push(join(dirname(path), specifier));
      else packages.push(`${specifier} in ${relative(root, path)}`);
    }
  }
  return { files, packages };
}

for (const entry of ["src/browser.ts", "src/web/local/worker/main.ts", "src/web/local/main.tsx"]) {
  test(`${entry} reaches nothing of Node`, () => {
    const { files, packages } = reach(entry);
    assert.ok(files.size > 10, String(files.size));
    assert.deepEqual(
      packages.filter((name) => /^node:|^koffi|^@hono\/node-server/.test(name)),
      [],
    );
  });
}

test("the walk sees what only Node has", () => {
  const { packages } = reach("src/index.ts");
  assert.ok(packages.some((name) => name.startsWith("node:fs")));
  const { files } = reach("src/browser.ts");
  assert.ok(files.has(join(root, "src/device/cpu/worker.ts")), "modules of threads");
  assert.ok(files.has(join(root, "src/device/reference/executor.ts")), "modules that are loaded when asked for");
});
