// Kept machine code: the same bytes for the same source and emitter, nothing for any other, and nothing of files that are
// broken or that somebody else could have written.
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type CodeCache, openCodeCache as open } from "./code-cache.ts";

/** Tests write emitters while they run. */
const openCodeCache = (folder: string, from = emitter): CodeCache => open(folder, from, { processStartMs: Infinity });

const root = mkdtempSync(join(tmpdir(), "liang-code-"));
after(() => rmSync(root, { recursive: true }));
let folder = "";
let emitterFolder = "";
let emitter: URL;
let cache: CodeCache;
let round = 0;
beforeEach(() => {
  folder = join(root, `${round}`, "code");
  emitterFolder = join(root, `${round++}`, "emitter");
  mkdirSync(emitterFolder, { recursive: true });
  writeFileSync(join(emitterFolder, "emit.ts"), "emits");
  emitter = pathToFileURL(`${emitterFolder}/`);
  cache = openCodeCache(folder);
});
const code = Uint8Array.of(0xc3, 1, 2, 3);
const only = (): string => join(folder, readdirSync(folder)[0]);

test("the same code comes back for the same source, to another process too", () => {
  assert.equal(cache.find("kernel"), undefined);
  cache.keep("kernel", code);
  assert.deepEqual(Uint8Array.from(cache.find("kernel")!), code);
  assert.deepEqual(Uint8Array.from(openCodeCache(folder).find("kernel")!), code);
  assert.equal(cache.find("kernel "), undefined);
});

test("an emitter that changed finds nothing of the old one; its tests do not count", () => {
  cache.keep("kernel", code);
  writeFileSync(join(emitterFolder, "emit.test.ts"), "tests");
  assert.ok(openCodeCache(folder).find("kernel"));
  writeFileSync(join(emitterFolder, "emit.ts"), "emits otherwise");
  assert.equal(openCodeCache(folder).find("kernel"), undefined);
  writeFileSync(join(emitterFolder, "emit.ts"), "emits");
  assert.ok(openCodeCache(folder).find("kernel"));
  mkdirSync(join(emitterFolder, "below"));
  writeFileSync(join(emitterFolder, "below", "more.js"), "");
  assert.equal(openCodeCache(folder).find("kernel"), undefined);
});

test("an emitter that changed after the process began is not the one that ran: nothing is found or kept", () => {
  cache.keep("kernel", code);
  const later = open(folder, emitter, { processStartMs: Date.now() - 60_000 });
  assert.equal(later.find("kernel"), undefined);
  later.keep("another", code);
  assert.equal(cache.find("another"), undefined);
  assert.equal(readdirSync(folder).length, 1);
  assert.ok(open(folder, emitter, { processStartMs: Date.now() + 60_000 }).find("kernel"));
});

test("what cannot be given its name is not left behind", () => {
  cache.keep("kernel", code);
  const taken = only();
  rmSync(taken);
  mkdirSync(join(taken, "full"), { recursive: true });
  cache.keep("kernel", code);
  assert.deepEqual(readdirSync(folder), [basename(taken)]);
});

test("a file that is broken, or another's, is as if it were not there", () => {
  cache.keep("kernel", code);
  const whole = readFileSync(only());
  for (const [at, length] of [
    [0, whole.length],
    [20, whole.length],
    [whole.length - 1, whole.length],
    [0, 10],
    [0, whole.length - 1],
  ]) {
    const broken = Buffer.from(whole.subarray(0, length));
    if (length === whole.length) broken[at] ^= 1;
    writeFileSync(only(), broken);
    assert.equal(cache.find("kernel"), undefined, `byte ${at} of ${length}`);
  }
  cache.keep("kernel", code);
  assert.ok(cache.find("kernel"));
});

test("a file that others may write is not run", { skip: process.getuid === undefined && "no user ids here" }, () => {
  cache.keep("kernel", code);
  chmodSync(only(), 0o620);
  assert.equal(cache.find("kernel"), undefined);
});

test("where nothing can be kept, nothing happens", () => {
  writeFileSync(join(root, "file"), "");
  const blocked = openCodeCache(join(root, "file", "code"));
  blocked.keep("kernel", code);
  assert.equal(blocked.find("kernel"), undefined);
  const without = openCodeCache(folder, pathToFileURL(join(root, "nowhere/"))); // as in a bundle of one file
  without.keep("kernel", code);
  assert.equal(without.find("kernel"), undefined);
});

test("the oldest go when there are many", () => {
  cache.keep("kernel", code);
  const newest = only();
  for (let i = 0; i < 1000; i++) {
    writeFileSync(join(folder, `${i}.bin`), "");
    utimesSync(join(folder, `${i}.bin`), i + 1, i + 1);
  }
  cache.keep("another", code);
  assert.equal(readdirSync(folder).length, 501);
  assert.ok(cache.find("kernel"), newest);
});
