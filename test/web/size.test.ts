// What the page costs to fetch: the first load stays small, maths and colours come when they are needed.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const folder = resolve(import.meta.dirname, "../../dist/web");
const skip = !existsSync(folder) && "the page is not built (npm run build:web)";
const localFolder = resolve(import.meta.dirname, "../../dist/local");
const localSkip = !existsSync(localFolder) && "the page is not built (npm run build:local)";
const read = (path: string): Buffer => readFileSync(join(folder, path));
const gzipped = (paths: readonly string[]): number => paths.reduce((sum, path) => sum + gzipSync(read(path)).length, 0);

/** What index.html names, and what those scripts import before they run. */
function firstLoad(): string[] {
  const html = read("index.html").toString();
  const open = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map((match) => match[1]);
  const paths = new Set<string>();
  while (open.length > 0) {
    const path = open.pop()!;
    if (paths.has(path)) continue;
    paths.add(path);
    if (!path.endsWith(".js")) continue;
    const imports = read(path)
      .toString()
      .matchAll(/(?:^|[;}\s])import\s*(?:[\w*{}\s,$]+from\s*)?["']\.\/([^"']+)["']/g);
    for (const [, name] of imports) open.push(`assets/${name}`);
  }
  return [...paths];
}

test("the first load is under 150 kB of script, and under 170 kB in all, gzipped", { skip }, () => {
  const paths = firstLoad();
  const scripts = paths.filter((path) => path.endsWith(".js"));
  assert.ok(scripts.length >= 2, scripts.join(", "));
  assert.ok(gzipped(scripts) < 150_000, `${gzipped(scripts)} bytes of script`);
  assert.ok(gzipped(paths) < 170_000, `${gzipped(paths)} bytes`);
});

test("maths, code colours and charts are not in the first load", { skip }, () => {
  const first = firstLoad()
    .map((path) => read(path).toString())
    .join("\n");
  assert.doesNotMatch(first, /\\\\mathbb|katex-mathml|RELEVANCE|relevance:|u-cursor-x/);
  assert.ok(readdirSync(join(folder, "assets")).some((name) => name.startsWith("katex")));
});

test("the page holds no inline script or style and names no other machine", { skip }, () => {
  const html = read("index.html").toString();
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\son\w+=|https?:\/\//);
});

test("fonts come once, as woff2, and nothing is inlined as data", { skip }, () => {
  const names = readdirSync(join(folder, "assets"));
  assert.deepEqual(
    names.filter((name) => /\.(?:woff|ttf)$/.test(name)),
    [],
  );
  for (const name of names.filter((one) => one.endsWith(".css")))
    assert.doesNotMatch(read(`assets/${name}`).toString(), /url\(["']?data:/);
});

test(
  "the page without a server loads no more at first, and its workers, which know every family and type of cache, less than 300 kB of script",
  { skip: localSkip },
  () => {
    const names = readdirSync(join(localFolder, "assets"));
    const size = (name: string): number => gzipSync(readFileSync(join(localFolder, "assets", name))).length;
    const page = names.filter((name) => /^index-.*\.js$/.test(name));
    assert.equal(page.length, 1);
    assert.ok(size(page[0]) < 150_000, `${size(page[0])} bytes of script`);
    const later = /^(index|katex|languages|rolldown|runs-view|save-as-file|run-report|lower-training|decode)/; // what the page loads, what workers never do, and what comes with a first picture
    const workers = names.filter((name) => name.endsWith(".js") && !later.test(name));
    const total = workers.reduce((sum, name) => sum + size(name), 0);
    assert.ok(
      workers.some((name) => name.startsWith("template-worker")) && total < 300_000,
      `${total} bytes of script`,
    );
  },
);
