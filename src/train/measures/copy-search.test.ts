import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { prepareData } from "../data/prepare.ts";
import { startCopySearch } from "./copy-search.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-copies-"));
after(() => rm(folder, { recursive: true }));
await mkdir(join(folder, "raw"));
const lines = ["The cat sees a ball in the park.", "A dog likes the moon at home."];
await writeFile(join(folder, "raw/texts.jsonl"), lines.map((text) => JSON.stringify({ text })).join("\n"));
const data = join(folder, "data");
await prepareData([join(folder, "raw")], data, { duplicates: "keep", validationShare: 0 });

const noNote = (note: string): void => assert.fail(note);

test("a sample's longest span of a training document is found, with its place, in the order of the questions", async () => {
  await using search = (await startCopySearch(data, noNote))!;
  const [park, none, moon] = await Promise.all(
    ["See: a ball in the zoo", "QQQ", "He likes the moon!"].map((text) => search.find(text)),
  );
  assert.equal(park?.text, " a ball in the ");
  assert.deepEqual([park.characters, park.occurrences], [15, 1]);
  assert.match(park.from, /texts\.jsonl:1$/);
  assert.equal(none, null);
  assert.equal(moon?.text, " likes the moon");
});

test("documents that cannot be read, or are too many, are told once and end no run; none are nothing to tell", async () => {
  const notes: string[] = [];
  const note = (text: string): void => void notes.push(text);
  assert.equal(await startCopySearch(join(folder, "nowhere"), note), undefined);
  const broken = join(folder, "broken");
  await mkdir(broken);
  await writeFile(join(broken, "train.jsonl"), "{"); // and no card
  await using search = (await startCopySearch(broken, note))!;
  assert.deepEqual(await Promise.all([search.find("a"), search.find("b")]), [undefined, undefined]);
  assert.equal(await search.find("c"), undefined);
  assert.equal(notes.length, 1);
  assert.match(notes[0], /no longer looked up/);
  assert.equal(await startCopySearch(data, note, 10), undefined);
  assert.match(notes[1], /are 0 MB, and up to 0 MB are searched/);
});
