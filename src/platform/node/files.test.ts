// Files on a real disk: ranged reads, whole small files, folders, and writing that is whole or not at all.
import assert from "node:assert/strict";
import { readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FormatError, LiangError, NotFoundError, ShapeError, UsageError } from "../../base/errors.ts";
import {
  createFileWriter,
  fileFacts,
  listFolder,
  makeFolder,
  makeTemporaryFolder,
  move,
  openFile,
  readBytes,
  readText,
  remove,
} from "./index.ts";

let folder = "";
before(async () => {
  folder = await makeTemporaryFolder();
});
after(() => remove(folder));

const put = async (name: string, bytes: string | Uint8Array): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};

describe("reading", () => {
  test("reads any range of a file", async () => {
    const path = await put(
      "range",
      Uint8Array.from({ length: 1000 }, (_, i) => i & 255),
    );
    const source = await openFile(path);
    const into = new Uint8Array(5);
    await source.read(254, into);
    assert.deepEqual([...into], [254, 255, 0, 1, 2]);
    assert.equal(source.size, 1000);
    await source.read(1000, new Uint8Array(0));
    await source.close();
  });

  test("refuses a range outside the file, and a file that shrank after it was opened", async () => {
    const path = await put("shrinks", new Uint8Array(100));
    const source = await openFile(path);
    await assert.rejects(source.read(98, new Uint8Array(3)), FormatError);
    await assert.rejects(source.read(-1, new Uint8Array(1)), FormatError);
    await truncate(path, 10);
    await assert.rejects(source.read(50, new Uint8Array(10)), /size is "50 bytes", expected 100 bytes/);
    await source.close();
  });

  test("says what is missing or no file", async () => {
    await assert.rejects(openFile(join(folder, "absent")), NotFoundError);
    await assert.rejects(openFile(folder), /kind is "folder", expected a file/);
    const file = await put("plain", "x");
    await assert.rejects(openFile(join(file, "below")), NotFoundError);
  });

  test("caps the size of files that are read whole, and refuses text that is no UTF-8", async () => {
    const path = await put("text", "\ufeff量变引起质变");
    assert.equal(await readText(path, 100), "量变引起质变");
    await assert.rejects(readText(path, 20), /size is "21 bytes", expected at most 20 bytes/);
    assert.equal((await readBytes(path, 21)).length, 21);
    await assert.rejects(readText(await put("latin1", Uint8Array.of(0x61, 0xe9)), 100), FormatError);
  });

  test("lists a folder by name, follows links, leaves broken ones out", async () => {
    const inside = join(folder, "listing", "deep");
    await makeFolder(inside);
    await makeFolder(inside);
    await writeFile(join(inside, "b"), "four");
    await symlink(join(inside, "b"), join(inside, "a"));
    await symlink(join(inside, "nothing"), join(inside, "broken"));
    const entries = await listFolder(inside);
    assert.deepEqual(
      entries.map(({ name, kind, sizeBytes }) => [name, kind, sizeBytes]),
      [
        ["a", "file", 4],
        ["b", "file", 4],
      ],
    );
    await assert.rejects(listFolder(join(folder, "absent")), NotFoundError);
    assert.equal(await fileFacts(join(folder, "absent")), undefined);
    await remove(join(folder, "listing"));
    await remove(join(folder, "listing"));
    assert.equal(await fileFacts(inside), undefined);
  });
});

const names = async () => (await listFolder(folder)).map(({ name }) => name);

describe("writing", () => {
  test("a file appears under its name only when it is finished", async () => {
    const path = join(folder, "whole");
    const writer = await createFileWriter(path);
    await writer.append(Uint8Array.of(1, 2, 3, 4));
    await writer.append(Uint8Array.of(5, 6));
    await writer.patch(1, Uint8Array.of(9, 8));
    assert.equal(writer.position, 6);
    assert.equal(await fileFacts(path), undefined);
    await writer.finish();
    assert.deepEqual([...(await readFile(path))], [1, 9, 8, 4, 5, 6]);
    await writer.discard();
    assert.ok((await stat(path)).isFile(), "discard after finish removes nothing");
  });

  test("a finished file replaces the old one, a discarded one leaves no trace", async () => {
    const path = await put("replaced", "old");
    {
      await using writer = await createFileWriter(path);
      await writer.append(new TextEncoder().encode("half of the n"));
    }
    assert.equal(await readText(path, 100), "old");
    await using writer = await createFileWriter(path);
    await writer.append(new TextEncoder().encode("new"));
    await writer.finish();
    assert.equal(await readText(path, 100), "new");
    assert.deepEqual(
      (await names()).filter((name) => name.endsWith(".part")),
      [],
    );
  });

  test("a moved file replaces the one that had the name; what is not there cannot be moved", async () => {
    const [from, to] = [await put("moved", "new"), await put("moved-to", "old")];
    await move(from, to);
    assert.equal(await readText(to, 100), "new");
    assert.equal(await fileFacts(from), undefined);
    await assert.rejects(move(from, to), NotFoundError);
  });

  test("two writers of one name do not mix", async () => {
    const path = join(folder, "twice");
    await using first = await createFileWriter(path);
    await using second = await createFileWriter(path);
    await first.append(Uint8Array.of(1));
    await second.append(Uint8Array.of(2, 2));
    await second.finish();
    await first.finish();
    assert.deepEqual([...(await readFile(path))], [1]);
  });

  test("refuses a patch outside of what was written, and writing after the end", async () => {
    await using writer = await createFileWriter(join(folder, "bounds"));
    await writer.append(new Uint8Array(4));
    await assert.rejects(writer.patch(3, new Uint8Array(2)), ShapeError);
    await writer.finish();
    await assert.rejects(writer.append(new Uint8Array(1)), UsageError);
    await assert.rejects(writer.finish(), UsageError);
  });

  test("says so when the folder is missing or a file stands in the way", async () => {
    await assert.rejects(createFileWriter(join(folder, "absent", "x")), NotFoundError);
    const file = await put("in-the-way", "x");
    await assert.rejects(makeFolder(join(file, "below")), LiangError);
  });
});
