// Counting files: threads agree with one thread and with the whole text, errors name the file.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { chunksOf, readChunk } from "./chunks.ts";
import { countPieces } from "./count-pieces.ts";
import { cutBetweenPieces } from "./cuts.ts";
import type { PieceCounts } from "./piece-counts.ts";
import type { Pipeline } from "./piece-reader.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-count-"));
after(() => rm(folder, { recursive: true }));

const byWords: Pipeline = {
  normalizer: null,
  preTokenizer: { type: "ByteLevel", add_prefix_space: false },
  unit: "file",
};
const counts = (pieces: PieceCounts): Map<string, number> =>
  new Map(Array.from({ length: pieces.size }, (_, i) => [pieces.text(i), pieces.counts[i]]));

/** More than three chunks. */
const long = Array.from({ length: 220_000 }, (_, i) => `word${i % 977} 第${i % 31}行，好。`).join("\n");

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("pieces of files", () => {
  test("are counted on several threads as on one, and as those of the whole text", async () => {
    const files = [await file("long.txt", long), await file("short.txt", "one two two")];
    const one = await countPieces({ files }, byWords, { threads: 1 });
    const three = await countPieces({ files }, byWords, { threads: 3 });
    const whole = await countPieces({ texts: [long, "one two two"] }, byWords);
    assert.deepEqual(counts(one.pieces), counts(whole.pieces));
    assert.deepEqual(counts(three.pieces), counts(whole.pieces));
    assert.deepEqual([one.bytes, three.bytes], [whole.bytes, whole.bytes]);
  });

  test("come from chunks that join to the file, however short they are", async () => {
    const text = "Ein Wort, 还有一个词。\n\nand 𠮷 more; слово.".repeat(5);
    const path = await file("chunks.txt", text);
    for (const size of [1, 2, 3, 7, 50, 1000]) {
      const chunks = await chunksOf([path], size);
      let joined = "";
      for (const chunk of chunks) joined += await readChunk(chunk, cutBetweenPieces);
      assert.equal(joined, text, `chunks of ${size}`);
    }
  });

  test("begin after a byte order mark", async () => {
    const files = [await file("mark.txt", "\ufeffword")];
    assert.deepEqual(counts((await countPieces({ files }, byWords)).pieces), new Map([["word", 1]]));
  });

  test("of a file that is no UTF-8 are refused by name, on threads too", async () => {
    const bytes = new TextEncoder().encode(long);
    bytes[2_500_000] = 0xff;
    const files = [await file("binary.bin", bytes)];
    for (const threads of [1, 2]) {
      await assert.rejects(countPieces({ files }, byWords, { threads }), /binary\.bin: bytes \d+ to \d+ .*UTF-8/);
    }
  });

  test("of a file that is not there, or of a folder, are refused", async () => {
    await assert.rejects(countPieces({ files: [join(folder, "none.txt")] }, byWords), /There is no file .*none\.txt/);
    await assert.rejects(countPieces({ files: [folder] }, byWords), /path is "a folder", expected "?a text file/);
  });

  test("stop being counted when the signal says so", async () => {
    const files = [await file("abort.txt", long)];
    const controller = new AbortController();
    const counting = countPieces({ files }, byWords, { threads: 2, signal: controller.signal });
    controller.abort();
    await assert.rejects(counting, { name: "AbortError" });
  });

  test("of lines are those of texts of their own", async () => {
    const byLine: Pipeline = {
      normalizer: null,
      preTokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
      unit: "line",
    };
    const files = [await file("lines.txt", "a b\r\n\na\n")];
    const { pieces } = await countPieces({ files }, byLine);
    assert.deepEqual(
      counts(pieces),
      new Map([
        ["▁a", 2],
        ["▁b", 1],
      ]),
    );
  });
});
