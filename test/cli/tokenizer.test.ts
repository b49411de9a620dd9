// `liang tokenizer`, as a process: trains on files, writes what other commands open, refuses what it should.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ROOT, liangIn, refusalIn } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-cli-tokenizer-"));
after(() => rm(folder, { recursive: true }));
const home = join(folder, "home");
const liang = liangIn(home);
const at = (name: string): string => join(folder, name);
const TEXTS = ["en", "zh"].map((name) => join(ROOT, `test/golden/tokenizer-training/${name}.txt`));
const BUILT_IN = join(ROOT, "models/stories260K.gguf");

const trainWords = (output: string, ...options: string[]): string[] => [
  "tokenizer",
  "train",
  ...TEXTS,
  "--output",
  at(output),
  ...options,
];
const train = (...words: Parameters<typeof trainWords>) => liang.run(trainWords(...words));

interface Inspection {
  kind: string;
  vocabularySize: number;
  specials: { id: number; text: string; roles: string[] }[];
  languages: { language: string; bytes: number; characters: number; words?: number; tokens: number; unknown: number }[];
  pieces?: { id: number; text: string }[];
}

async function inspect(...words: string[]): Promise<Inspection> {
  const { code, stdout, stderr } = await liang.run(["tokenizer", "inspect", ...words, "--json"]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return JSON.parse(stdout) as Inspection;
}

describe("liang tokenizer", () => {
  test("trains one that it then inspects, with the special tokens asked for", async () => {
    const { code, stdout } = await train("bpe", "--vocab", "800", "--special", "<|im_start|>", "--eos", "<|im_end|>");
    assert.equal(code, 0);
    assert.match(stdout, /bpe, 800 tokens from 120 kB of text/);
    const { kind, vocabularySize, specials, languages } = await inspect(at("bpe"));
    assert.deepEqual([kind, vocabularySize], ["byte-level-bpe", 800]);
    assert.deepEqual(
      specials.map(({ text }) => text),
      ["<|endoftext|>", "<|im_end|>", "<|im_start|>"],
    );
    assert.ok(specials[1].roles.includes("eos"));
    for (const { tokens, bytes, unknown } of languages) assert.ok(tokens > 0 && tokens <= bytes && unknown === 0);
    // trained on English and Chinese, so both take fewer tokens than bytes by far; Russian does not
    const share = (name: string): number => {
      const { bytes, tokens } = languages.find(({ language }) => language === name)!;
      return bytes / tokens;
    };
    assert.ok(share("English") > 1.8 && share("Chinese") > 1.5 && share("Russian") < 1.1);
  });

  test("shows how a text splits: the pieces join to the text", async () => {
    const { pieces, languages } = await inspect(BUILT_IN, "Once upon a time");
    assert.equal(
      pieces!
        .map(({ text }) => text)
        .join("")
        .trim(),
      "Once upon a time",
    );
    assert.equal(languages[0].tokens, pieces!.length);
    const shown = await liang.run(["tokenizer", "inspect", BUILT_IN, "Once upon a time"]);
    assert.match(shown.stdout, /\|.*upon.*\|/);
    const coloured = await liang.run(["tokenizer", "inspect", BUILT_IN, "Once upon"], { env: { FORCE_COLOR: "1" } });
    assert.ok(coloured.stdout.includes("\x1b[46m") && coloured.stdout.includes("\x1b[43m"));
  });

  test("trains each kind; a tokenizer.json opens as its folder does", async () => {
    for (const kind of ["unigram", "wordpiece", "characters"]) {
      const { code, stderr } = await train(kind, "--kind", kind, "--vocab", "1500");
      assert.equal(code, 0, stderr);
      const [byFolder, byFile] = await Promise.all([inspect(at(kind)), inspect(join(at(kind), "tokenizer.json"))]);
      assert.deepEqual(byFile, byFolder);
    }
  });

  test("what it writes is the tokenizer that tokenize and data tokenize take, without a model", async () => {
    assert.equal((await train("alone", "--vocab", "600")).code, 0);
    const ids = async (model: string): Promise<number[]> => {
      const { stdout, stderr } = await liang.run(["tokenize", "--model", model, "Once upon a time 量", "--json"]);
      assert.equal(stderr, "");
      return (JSON.parse(stdout) as { ids: number[] }).ids;
    };
    const found = await ids(at("alone"));
    assert.deepEqual(await ids(join(at("alone"), "tokenizer.json")), found);
    const { pieces } = await inspect(at("alone"), "Once upon a time 量");
    assert.deepEqual(
      pieces!.map(({ id }) => id),
      found,
    );
    await writeFile(at("texts.txt"), "Once upon a time\n".repeat(5));
    const prepare = ["data", "prepare", at("texts.txt"), "--documents", "line", "-o", at("data")];
    assert.equal((await liang.run([...prepare, "--duplicates", "keep"])).code, 0);
    const { code, stdout, stderr } = await liang.run(["data", "tokenize", at("data"), "-m", at("alone"), "--json"]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.equal((JSON.parse(stdout) as { vocabularySize: number }).vocabularySize, 600);
    const none = await refusalIn(home, ["tokenize", "--model", folder, "x"]);
    assert.equal(none.code, 4);
    assert.match(none.stderr, /There is no model in /);
  });

  test("says so when the texts have fewer tokens than were asked for", async () => {
    await writeFile(at("small.txt"), "aa bb aa bb");
    const { code, stderr } = await liang.run([
      "tokenizer",
      "train",
      at("small.txt"),
      "--vocab",
      "400",
      "-o",
      at("small"),
    ]);
    assert.equal(code, 0);
    assert.match(stderr, /gave 26\d tokens, fewer than the 400 asked for/);
  });

  test("replaces no tokenizer unless told to", async () => {
    assert.equal((await train("kept", "--vocab", "300")).code, 0);
    const before = await readFile(join(at("kept"), "tokenizer.json"), "utf8");
    const refused = await refusalIn(home, trainWords("kept", "--vocab", "310"));
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /is there already.*--force/);
    assert.equal(await readFile(join(at("kept"), "tokenizer.json"), "utf8"), before);
    assert.equal((await train("kept", "--vocab", "310", "--force")).code, 0);
  });

  for (const [what, args, expected] of [
    ["a kind that there is not", ["train", TEXTS[0], "-o", "x", "--kind", "bpee"], /--kind is "bpee", expected bpe/],
    ["no folder to write to", ["train", TEXTS[0]], /--output is missing/],
    ["a vocabulary below its alphabet", ["train", TEXTS[0], "-o", "x", "--vocab", "200"], /256 tokens for bytes/],
    ["a file that is not there", ["train", "none.txt", "-o", "x"], /There is no file none\.txt/],
    [
      "a rule for cutting that there is not",
      ["train", TEXTS[0], "-o", "x", "--pre", "gpt-9"],
      /"gpt-9".*unknown.*Known/,
    ],
    [
      "a share of characters above 1",
      ["train", TEXTS[0], "-o", "x", "--kind", "unigram", "--coverage", "2"],
      /coverage is 2/,
    ],
    ["an option of another kind", ["train", TEXTS[0], "-o", "x", "--coverage", "0.9"], /coverage is not one of bpe/],
    ["another word", ["learn", TEXTS[0]], /Found learn .*, expected: train/],
  ] as const) {
    test(`refuses ${what}`, async () => {
      const { code, stderr } = await refusalIn(home, ["tokenizer", ...args]);
      assert.ok(code === 2 || code === 3 || code === 4, stderr);
      assert.match(stderr, expected);
    });
  }
});
