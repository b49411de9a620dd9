// `liang data` as a process: raw files to tokens, what is shown of them, and what is refused.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ROOT, liangIn, refusalIn } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-cli-data-"));
after(() => rm(folder, { recursive: true }));
const home = join(folder, "home");
const liang = liangIn(home);
const at = (name: string): string => join(folder, name);
const BUILT_IN = join(ROOT, "models/stories260K.gguf");

async function output(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await liang.run(["data", ...args]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

const SENTENCES = ["Tom had a red ball.", "The cat sat on the mat.", "One day it rained, and they all stayed at home."];
const rows = SENTENCES.map((text) => ({ text }));

describe("liang data", () => {
  test("prepares, tokenizes, shows, and finds what is copied", async () => {
    await writeFile(
      at("a.jsonl"),
      [...rows, { text: SENTENCES[0] }, 7].map((row) => `${JSON.stringify(row)}\n`).join(""),
    );
    const prepare = ["prepare", at("a.jsonl"), "-o", at("out"), "--validation", "0", "--licence", "CC0"];
    const prepared = await output(prepare);
    assert.match(prepared, /^read +5 records of 1 files\nbroken +1\nduplicates +1\n/);
    assert.match(prepared, /out\/left-out\.jsonl names what was left out/);

    const tokens = JSON.parse(await output(["tokenize", at("out"), "-m", BUILT_IN, "--json"])) as {
      splits: { train: { documents: number; learntBytes: number } };
    };
    assert.equal(tokens.splits.train.documents, 3);
    assert.ok(tokens.splits.train.learntBytes >= Buffer.byteLength(SENTENCES.join("")));

    const shown = await output(["show", at("out")]);
    assert.match(shown, /# Data card[^]*\| CC0 \|[^]*train +3 documents +\d+ tokens/);
    const card = JSON.parse(await output(["show", at("out"), "--json"])) as Record<string, unknown>;
    assert.deepEqual(card["tokens"], JSON.parse(await readFile(at("out/tokens/card.json"), "utf8")));

    await writeFile(at("reply.txt"), "They said that the cat sat on the sofa.");
    const copied = JSON.parse(await output(["copied", at("out"), at("reply.txt"), "--json"])) as Record<
      string,
      unknown
    >;
    assert.deepEqual(copied, {
      text: "he cat sat on the ",
      characters: 18,
      from: `${at("a.jsonl")}:2`,
      occurrences: 1,
    });
  });

  test("refuses what it cannot do, with what to do", async () => {
    await writeFile(at("b.txt"), "some words");
    for (const [args, code, message] of [
      [["cook", "x"], 2, /There is no liang data cook/],
      [["prepare", at("b.txt")], 2, /--output is missing/],
      [["prepare", at("b.txt"), "-o", at("b"), "--duplicates", "double"], 2, /--duplicates is "double"/],
      [["prepare", at("none.txt"), "-o", at("b")], 4, /There is no file or folder/],
      [["show", at("nowhere")], 4, /There is no file/],
      [["tokenize", at("out")], 2, /--model is missing/],
    ] as const) {
      const ended = await refusalIn(home, ["data", ...args]);
      assert.equal(ended.code, code, args.join(" "));
      assert.match(ended.stderr, message);
    }
  });
});
