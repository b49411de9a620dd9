// Files of packed weights: found only while whole and of the same description; broken ones are as if they were not there;
// room is made by age; nothing is written where there is none.
import assert from "node:assert/strict";
import { chmod, chown, copyFile, readFile, readdir, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { makeTemporaryFolder } from "#platform";
import { type PackCache, type PackDescription, type PackWriter, openPackCache } from "./pack-cache.ts";

let folder = "";
let cache: PackCache;
before(async () => {
  folder = await makeTemporaryFolder();
});
after(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  for (const name of await readdir(folder)) await rm(join(folder, name));
  cache = openPackCache(folder);
});

const data = Uint8Array.from({ length: 5000 }, (_, i) => i * 7);
const description = (changes: Partial<PackDescription> = {}): PackDescription => ({
  model: "/models/some model.gguf",
  text: "what the bytes depend on",
  dataBytes: data.byteLength,
  ...changes,
});

async function write(asked: PackDescription, into = cache): Promise<string> {
  const writer = (await into.create(asked)) as PackWriter;
  await Promise.all([writer.append(data.subarray(0, 4096)), writer.append(data.subarray(4096))]);
  await writer.finish();
  return writer.file.path;
}

describe("a whole file", () => {
  test("is found with its data at a multiple of 2 MiB up to the end", async () => {
    const path = await write(description());
    const found = await cache.find(description());
    assert.equal(found?.path, path);
    assert.equal(found.dataOffset % (2 << 20), 0);
    assert.deepEqual(new Uint8Array(await readFile(path)).subarray(found.dataOffset), data);
  });

  test("is not there before it is finished, nor after it was discarded", async () => {
    const writer = (await cache.create(description())) as PackWriter;
    await writer.append(data);
    assert.equal(await cache.find(description()), undefined);
    await writer.discard();
    assert.deepEqual(await readdir(folder), []);
  });

  test("is not given a name while data is missing", async () => {
    const writer = (await cache.create(description())) as PackWriter;
    await writer.append(data.subarray(1));
    await assert.rejects(writer.finish(), /4999 bytes were written of 5000/);
    await writer.discard();
  });

  test("serves its own description alone, and the next one takes its place", async () => {
    await write(description());
    assert.equal(await cache.find(description({ text: "something else" })), undefined);
    assert.equal(await cache.find(description({ model: "/elsewhere/some model.gguf" })), undefined);
    assert.equal(await cache.find(description({ dataBytes: 4999 })), undefined);
    await write(description({ text: "something else" }));
    assert.equal(await cache.find(description()), undefined);
    assert.equal((await cache.list()).length, 1);
  });

  test("keeps serving who has it open when it is replaced", async () => {
    const path = await write(description());
    const { ino } = await stat(path);
    await write(description({ text: "something else" }));
    assert.notEqual((await stat(path)).ino, ino);
  });

  test("is listed with its model and bytes, and goes with it", async () => {
    const path = await write(description());
    const { size } = await stat(path);
    const [kept] = await cache.list();
    const model = "/models/some model.gguf";
    assert.deepEqual({ ...kept, usedMs: 0 }, { path, model, unfinished: false, bytes: size, usedMs: 0 });
    assert.equal(await cache.remove("/models/some model.gguf"), size);
    assert.equal(await cache.remove("/models/some model.gguf"), 0);
    assert.deepEqual(await cache.list(), []);
  });
});

describe("a file that is not right", () => {
  const damage: Record<string, (path: string) => Promise<void>> = {
    "cut short": (path) => truncate(path, 4096),
    "cut by a byte": async (path) => truncate(path, (await stat(path)).size - 1),
    "longer than it says": async (path) => truncate(path, (await stat(path)).size + 1),
    empty: (path) => truncate(path, 0),
    "another program's": (path) => writeFile(path, "not a pack at all, but long enough to have a head"),
    "of a newer version": (path) => patch(path, 8, 2),
    "wrong in a letter of its head": (path) => patch(path, 60, 0),
    "wrong about the length of its head": (path) => patch(path, 15, 0x7f),
  };
  for (const [what, change] of Object.entries(damage)) {
    test(`is as if it were not there: ${what}`, async () => {
      const path = await write(description());
      await change(path);
      assert.equal(await cache.find(description()), undefined);
      await write(description());
      assert.notEqual(await cache.find(description()), undefined);
    });
  }

  test("is not used where others may write to it, or another user owns it", async (t) => {
    const path = await write(description());
    for (const mode of [0o620, 0o602]) {
      await chmod(path, mode);
      assert.equal(await cache.find(description()), undefined);
    }
    await chmod(path, 0o644);
    assert.notEqual(await cache.find(description()), undefined);
    if (process.getuid?.() !== 0) return t.diagnostic("only root can give a file away");
    await chown(path, 65534, 65534);
    assert.equal(await cache.find(description()), undefined);
  });

  test("is told by its data when all is checked, and removed; what is whole stays", async () => {
    const path = await write(description());
    await write(description({ model: "/whole.gguf" }));
    const { dataOffset } = (await cache.find(description()))!;
    await patch(path, dataOffset + 17, 0xee);
    assert.notEqual(await cache.find(description()), undefined, "data is not read by a start");
    await writeFile(join(folder, "strange.pack"), "x");
    const broken = (await cache.check()).map((pack) => pack.path);
    assert.deepEqual(new Set(broken), new Set([path, join(folder, "strange.pack")]));
    assert.equal(await cache.find(description()), undefined);
    assert.deepEqual(
      (await cache.list()).map(({ model }) => model),
      ["/whole.gguf"],
    );
    assert.deepEqual(await cache.check(), []);
  });

  test("is listed without a model, so that it is seen", async () => {
    await writeFile(join(folder, "strange.pack"), "x");
    assert.deepEqual(
      (await cache.list()).map(({ model, bytes }) => [model, bytes]),
      [[undefined, 1]],
    );
  });
});

describe("room", () => {
  test("is made by removing what was used longest ago", async () => {
    const models = ["/a.gguf", "/b.gguf", "/c.gguf"];
    for (const [i, model] of models.entries()) {
      const path = await write(description({ model }));
      await utimes(path, i, i);
    }
    assert.notEqual(await cache.find(description({ model: "/a.gguf" })), undefined, "finding is using");
    const { size } = await stat((await cache.list())[0].path);
    await write(description({ model: "/d.gguf" }), openPackCache(folder, { bytesMax: 3 * size }));
    const left = new Set((await cache.list()).map(({ model }) => model));
    assert.deepEqual(left, new Set(["/a.gguf", "/c.gguf", "/d.gguf"]));
  });

  test("is not taken from a disk that is nearly full, nor beyond the cap, and the reason is told", async () => {
    const nearlyFull = openPackCache(folder, { freeBytes: async () => 3 * data.byteLength - 3 });
    assert.match(((await nearlyFull.create(description())) as { refused: string }).refused, /more than a third/);
    const small = openPackCache(folder, { bytesMax: 4999 });
    assert.match(((await small.create(description())) as { refused: string }).refused, /may take 0 MB/);
    assert.deepEqual(await readdir(folder), []);
  });

  test("that cannot be written is a reason, not an error", async () => {
    const path = join(folder, "a file");
    await writeFile(path, "");
    const blocked = openPackCache(join(path, "below"));
    assert.match(((await blocked.create(description())) as { refused: string }).refused, /not kept: ENOTDIR/);
    assert.equal(await blocked.find(description()), undefined);
    assert.deepEqual(await blocked.list(), []);
  });

  test("is given back by what a process left half written an hour ago", async () => {
    for (const name of ["old.pack.1-0.part", "new.pack.1-0.part"]) await writeFile(join(folder, name), "x");
    await utimes(join(folder, "old.pack.1-0.part"), 1, 1);
    await copyFile(join(folder, "new.pack.1-0.part"), join(folder, "other"));
    await write(description());
    const names = await readdir(folder);
    assert.ok(!names.includes("old.pack.1-0.part") && names.includes("new.pack.1-0.part") && names.includes("other"));
  });

  for (const [what, act] of Object.entries({
    "looks for a file": () => cache.find(description()),
    "checks all files": () => cache.check(),
  })) {
    test(`is given back so by what ${what} too`, async () => {
      const path = join(folder, "old.pack.1-0.part");
      await writeFile(path, "x");
      await utimes(path, 1, 1);
      await act();
      assert.deepEqual(await readdir(folder), []);
    });
  }

  test("that half written files take is listed and counted, and these stay", async () => {
    const part = join(folder, "new.pack.1-0.part");
    await writeFile(part, new Uint8Array(3000));
    assert.deepEqual(await cache.check(), []);
    assert.deepEqual(
      (await cache.list()).map(({ path, model, unfinished, bytes }) => [path, model, unfinished, bytes]),
      [[part, undefined, true, 3000]],
    );
    const kept = await write(description({ model: "/a.gguf" }));
    const { size } = await stat(kept);
    await write(description({ model: "/b.gguf" }), openPackCache(folder, { bytesMax: size + data.byteLength + 2999 }));
    const left = (await cache.list()).map(({ model }) => model);
    assert.deepEqual(new Set(left), new Set([undefined, "/b.gguf"]));
  });
});

async function patch(path: string, at: number, value: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = value;
  await writeFile(path, bytes);
}
