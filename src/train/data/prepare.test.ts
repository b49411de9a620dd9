import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { FormatError, NotFoundError, UsageError } from "../../base/errors.ts";
import { uniform } from "../../base/random.ts";
import type { DataCard } from "./data-card.ts";
import type { LeftOut } from "./intake.ts";
import { type PrepareOptions, prepareData, readCard } from "./prepare.ts";
import { type DocumentRow, textOfRecord } from "./record.ts";
import { jaccard, shinglesOf } from "./shingles.ts";

const folder = mkdtempSync(join(tmpdir(), "liang-prepare-"));
after(() => rmSync(folder, { recursive: true }));
let made = 0;

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, `${made++}-${name}`);
  writeFileSync(path, content);
  return path;
}

interface Prepared {
  readonly card: DataCard;
  readonly output: string;
  readonly train: DocumentRow[];
  readonly validation: DocumentRow[];
  readonly leftOut: LeftOut[];
}

async function prepared(paths: readonly string[], options: PrepareOptions = {}): Promise<Prepared> {
  const output = join(folder, `out-${made++}`);
  const card = await prepareData(paths, output, options);
  const rows = (name: string): unknown[] =>
    readFileSync(join(output, name), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as unknown);
  return {
    card,
    output,
    train: rows("train.jsonl") as DocumentRow[],
    validation: rows("validation.jsonl") as DocumentRow[],
    leftOut: rows("left-out.jsonl") as LeftOut[],
  };
}

const jsonl = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const WORDS = "sun moon river mountain wind rain autumn spring bird flower wine friend road night boat snow".split(" ");
const sentence = (seed: number, length = 30): string[] =>
  Array.from({ length }, (_, i) => WORDS[Math.floor(uniform(seed, 0, i) * WORDS.length)]);

/** Many texts in families of near copies: each member has another word of 60. */
function families(count: number, members: number): string[] {
  const texts: string[] = [];
  for (let i = 0; i < count * members; i++) {
    const words = sentence(Math.floor(i / members), 60);
    words[Math.floor(uniform(i, 1, 0) * 60)] = `other${i}`;
    texts.push(words.join(" "));
  }
  // members far apart in the file
  return texts.map((_, i) => texts[(i * 7919) % texts.length]);
}

/** The largest Jaccard index between a document of one list and one of the other. */
function closest(a: readonly DocumentRow[], b: readonly DocumentRow[]): number {
  const sets = b.map((row) => shinglesOf(textOfRecord(row)));
  return Math.max(0, ...a.flatMap((row) => sets.map((set) => jaccard(shinglesOf(textOfRecord(row)), set))));
}

describe("preparing data", () => {
  test("every record is in a split or named with its reason, and the card counts them", async () => {
    const path = file(
      "mixed.jsonl",
      `${jsonl([{ text: sentence(1).join(" ") }, { text: "" }, { body: "?" }])}{"text":\n${jsonl([
        { text: `${sentence(1).join("  ")}\n` },
        { text: `${sentence(1).join(" ")} indeed` },
        { text: "1 2 3 ----------------------" },
        { text: `\ufffd\ufffd ${sentence(2).join(" ")}` },
        { instruction: "Say.", output: sentence(3).join(" ") },
      ])}`,
    );
    const { card, train, validation, leftOut, output } = await prepared([path], {
      keep: ["letters>=0.5"],
      validationShare: 0,
      licenceOf: () => "CC0",
    });
    assert.deepEqual(
      leftOut.map(({ line, reason }) => [line, reason]),
      [
        [2, "filter"],
        [3, "broken"],
        [4, "broken"],
        [5, "exact duplicate"],
        [7, "filter"],
        [8, "filter"],
        [6, "near duplicate"],
      ],
    );
    assert.deepEqual(
      leftOut.find(({ reason }) => reason === "near duplicate"),
      {
        source: 0,
        line: 6,
        reason: "near duplicate",
        of: { source: 0, line: 1 },
      },
    );
    assert.deepEqual(
      train.map(({ line }) => line),
      [1, 9],
    );
    assert.equal(validation.length, 0);
    const { total } = card;
    assert.deepEqual(total.filtered, { "characters>=1": 1, "letters>=0.5": 1, "damaged<=0.001": 1 });
    assert.equal(total.read, train.length + leftOut.length);
    assert.equal(
      total.train.bytes,
      train.reduce((sum, row) => sum + Buffer.byteLength(textOfRecord(row)), 0),
    );
    assert.equal(card.sources[0].sha256, createHash("sha256").update(readFileSync(path)).digest("hex"));
    assert.equal(card.sources[0].licence, "CC0");
    assert.deepEqual(await readCard(output), card);
    for (const { name, sha256, bytes } of card.files) {
      const content = readFileSync(join(output, name));
      assert.deepEqual([bytes, sha256], [content.length, createHash("sha256").update(content).digest("hex")]);
    }
    assert.match(readFileSync(join(output, "card.md"), "utf8"), /\| CC0 \|/);
    assert.deepEqual(readdirSync(output).sort(), [
      "card.json",
      "card.md",
      "left-out.jsonl",
      "train.jsonl",
      "validation.jsonl",
    ]);
  });

  test("no document of validation is a near-duplicate of one to train on", async () => {
    const path = file("families.jsonl", jsonl(families(60, 5).map((text) => ({ text }))));
    for (const duplicates of ["remove", "keep"] as const) {
      const { train, validation, card } = await prepared([path], { duplicates, validationShare: 0.3, seed: 5 });
      assert.ok(validation.length > 0 && train.length > 0);
      assert.ok(closest(validation, train) < 0.7, `${closest(validation, train)}`);
      assert.equal(train.length + validation.length, duplicates === "keep" ? 300 : 60);
      assert.equal(card.total.nearDuplicates, duplicates === "keep" ? 0 : 240);
    }
    // the same corpus split document by document would leak: the test can fail
    const rows = families(60, 5).map((text) => ({ text, source: 0, line: 1 }));
    assert.ok(closest(rows.slice(0, 90), rows.slice(90)) >= 0.7);
  });

  test("exact copies that are kept are on one side", async () => {
    const texts = Array.from({ length: 200 }, (_, i) =>
      i % 2 === 0 ? `… ${i % 50} …` : sentence(i % 50, 3).join(" "),
    );
    const path = file("copies.jsonl", jsonl(texts.map((text) => ({ text }))));
    const { train, validation } = await prepared([path], { duplicates: "keep", validationShare: 0.5, seed: 2 });
    assert.equal(train.length + validation.length, 200);
    const seen = new Set(train.map(textOfRecord));
    assert.ok(validation.length > 0 && validation.every((row) => !seen.has(textOfRecord(row))));
  });

  test("a document's side does not depend on the others, their order or the file; another seed gives another split", async () => {
    const texts = Array.from({ length: 300 }, (_, i) => ({ text: sentence(i + 1000).join(" ") }));
    const heldOut = (data: Prepared): string[] => data.validation.map(textOfRecord).sort();
    const one = await prepared([file("a.jsonl", jsonl(texts))], { validationShare: 0.2 });
    const other = await prepared(
      [file("b.jsonl", jsonl(texts.slice(100).toReversed())), file("c.jsonl.gz", gzipSync(jsonl(texts.slice(0, 100))))],
      { validationShare: 0.2 },
    );
    assert.deepEqual(heldOut(one), heldOut(other));
    assert.ok(heldOut(one).length > 30 && heldOut(one).length < 90, `${heldOut(one).length} of 300`);
    const third = await prepared([file("a.jsonl", jsonl(texts))], { validationShare: 0.2, seed: 1 });
    assert.notDeepEqual(heldOut(third), heldOut(one));
  });

  test("the same files give the same bytes", async () => {
    const path = file("again.jsonl", jsonl(families(20, 3).map((text) => ({ text }))));
    const [one, two] = [await prepared([path]), await prepared([path])];
    assert.deepEqual(one.card, two.card);
  });

  test("plain text is a file, a line, a paragraph or what lies between separators", async () => {
    const path = file("text.txt", "one a\none b\n\ntwo a\n<|end|>\nthree a\n\n\nfour\n");
    const documents = async (bounds: string): Promise<[number, string][]> =>
      (await prepared([path], { documents: bounds, validationShare: 0, duplicates: "keep" })).train.map((row) => [
        row.line,
        textOfRecord(row),
      ]);
    assert.deepEqual(await documents("file"), [[1, "one a\none b\n\ntwo a\n<|end|>\nthree a\n\n\nfour"]]);
    assert.deepEqual(await documents("paragraph"), [
      [1, "one a\none b"],
      [4, "two a\n<|end|>\nthree a"],
      [9, "four"],
    ]);
    assert.deepEqual(await documents("<|end|>"), [
      [1, "one a\none b\n\ntwo a"],
      [6, "three a\n\n\nfour"],
    ]);
    assert.equal((await documents("line")).length, 6);
  });

  test("folders are searched; what is of no known kind is named", async () => {
    const inner = join(folder, "tree", "inner");
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(inner, "a.md"), "a text of some words");
    writeFileSync(join(inner, "picture.png"), "x");
    writeFileSync(join(folder, "tree", "b.jsonl"), jsonl([{ text: "another text of words" }]));
    const { card } = await prepared([join(folder, "tree")]);
    assert.deepEqual(
      card.sources.map(({ path }) => path),
      [join(folder, "tree", "b.jsonl"), join(inner, "a.md")],
    );
    assert.deepEqual(card.skippedFiles, [join(inner, "picture.png")]);
  });

  test("what cannot be done is refused with the reason, and leaves no card", async () => {
    const path = file("one.txt", "some text");
    const { output } = await prepared([path]);
    await assert.rejects(prepareData([path], output), /holds prepared data already/);
    await assert.rejects(prepareData([join(folder, "nothing")], join(folder, "n")), NotFoundError);
    await assert.rejects(prepareData([file("x.bin", "x")], join(folder, "n")), UsageError);
    await assert.rejects(prepareData([path], join(folder, "n"), { keep: ["loudness>=3"] }), /Measures are characters/);
    await assert.rejects(prepareData([path], join(folder, "n"), { validationShare: 2 }), /validationShare is 2/);
    const broken = file("broken.parquet", "no parquet at all, and long enough");
    await assert.rejects(prepareData([broken], output, { force: true }), FormatError);
    await assert.rejects(readCard(output), NotFoundError);
    assert.deepEqual(
      readdirSync(output).filter((name) => name.includes("part")),
      [],
    );
  });

  test("an abort ends it", async () => {
    const path = file("abort.jsonl", jsonl(families(20, 3).map((text) => ({ text }))));
    await assert.rejects(prepared([path], { signal: AbortSignal.abort() }), { name: "AbortError" });
  });
});
