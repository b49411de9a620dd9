// The commands whose form scripts rely on, as processes: what they write, and that nothing else is on standard output.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { codeFolder, openPackCache, packedFolder } from "../../src/store/index.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { readData } from "../safetensors-data.ts";
import { ROOT, liangIn, refusalIn } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-cli-commands-"));
after(() => rm(folder, { recursive: true }));
const liang = liangIn(join(folder, "home"));
const at = (name: string): string => join(folder, name);
const GOLDEN = join(ROOT, "test/golden/families/llama");
const BUILT_IN = join(ROOT, "models/stories260K.gguf");

/** Standard output of a command that ends well and says nothing else. */
async function output(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await liang.run(args, { input });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

type Json = Record<string, unknown>;

/** The one JSON document, on one line, that a command writes with --json. */
async function json<T = Json>(args: readonly string[], input?: string): Promise<T> {
  const text = await output([...args, "--json"], input);
  assert.match(text, /^[^\n]+\n$/);
  return JSON.parse(text) as T;
}

const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const greedy = ["--temperature", "0", "--max-tokens", "8"];

describe("commands", { concurrency: 2 }, () => {
  test("the overview and each command's help are on standard output; so is the version", async () => {
    const overview = await output([]);
    assert.match(overview, /usage: liang COMMAND/);
    assert.equal(await output(["--help"]), overview);
    assert.match(await output(["help", "run"]), /usage: liang run MODEL \[PROMPT\] \[options\]/);
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    assert.equal(await output(["--version"]), `${version}\n`);
  });

  test("run --json tells text, ids, prompt ids, the reason of the end, usage and timings", async () => {
    const { text, ids, promptIds, finishReason, usage, timings, seed } = await json<{
      text: string;
      ids: number[];
      promptIds: number[];
      finishReason: string;
      usage: Json;
      timings: Json;
      seed: number;
    }>(["run", "stories260k", "--prompt", "Once upon a time", "--raw", ...greedy]);
    assert.equal(text, ", there was a little girl"); // as llama2.c tells it
    assert.equal(ids.length, 8);
    assert.equal(finishReason, "length");
    assert.deepEqual(usage, { promptTokens: promptIds.length, cachedTokens: 0, completionTokens: 8 });
    assert.equal(promptIds[0], 1);
    assert.ok(Object.values(timings).every(isNumber) && isNumber(timings.decodeMs) && isNumber(seed));
  });

  test("run takes the same prompt from a word, a file and a pipe", async () => {
    await writeFile(at("prompt.txt"), "Once upon a time");
    const run = ["run", BUILT_IN, ...greedy];
    const expected = ", there was a little girl\n";
    assert.equal(await output([...run, "Once upon a time"]), expected);
    assert.equal(await output([...run, "--raw", "--prompt-file", at("prompt.txt")]), expected);
    assert.equal(await output(run, "Once upon a time\n"), expected);
  });

  test("tokenize --jsonl turns strings into ids line by line, --decode back", async () => {
    const strings = ["Hello", "a\u2028b\n", "你好", "", "<s>"];
    const input = strings.map((text) => `${JSON.stringify(text)}\n`).join("");
    const tokenize = ["tokenize", "--model", "stories260k", "--jsonl"];
    const lines = await output(tokenize, input);
    const ids = lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as number[]);
    assert.equal(ids.length, strings.length);
    assert.ok(ids.every((row) => row.every(Number.isInteger)));
    assert.equal(await output([...tokenize, "--decode"], lines), input);
    assert.ok(ids[4].length > 1, "<s> in a text is text");
    assert.equal(await output([...tokenize, "--special"], '"<s>"'), "[1]\n");
  });

  test("tokenize --template shows the exact prompt, of a conversation in a file too", async () => {
    const messages = [
      { role: "user", content: "Once" },
      { role: "assistant", content: " upon" },
    ];
    await writeFile(at("messages.json"), JSON.stringify(messages));
    assert.equal(await output(["tokenize", "--template", "--messages", at("messages.json")]), "Once upon\n");
    assert.deepEqual(await json(["tokenize", "--template", "Once upon a time"]), {
      text: "Once upon a time",
      ids: [1, 403, 407, 261, 378],
    });
  });

  for (const executor of ["reference", "cpu"]) {
    test(`inspect logits writes the golden logits with --executor ${executor}`, async () => {
      const { input_ids_a: ids, logits_a: expected } = await readData(join(GOLDEN, "golden.safetensors"));
      const meta = JSON.parse(await readFile(join(GOLDEN, "meta.json"), "utf8")) as Record<string, number>;
      const file = at(`${executor}.safetensors`);
      const args = ["inspect", "logits", GOLDEN, "--ids", ids.i32.join(","), "--out", file, "--executor", executor];
      const { code, stdout } = await liang.run(args);
      assert.deepEqual({ code, stdout }, { code: 0, stdout: "" });
      const { logits } = await readData(file);
      assert.deepEqual(logits.shape, [40, 320]);
      const difference = Math.max(...logits.f32.map((value, i) => Math.abs(value - expected.f32[i])));
      // four times how far f32 is from f64: our sums are in another order
      assert.ok(difference <= 4 * meta.max_abs_logit_diff_f32_f64, `differs by ${difference}`);
    });
  }

  test("inspect tensor writes a stored tensor's values in f32", async () => {
    const name = "blk.0.attn_q.weight";
    const { code } = await liang.run(["inspect", "tensor", "stories260k", name, "--out", at("t.safetensors")]);
    assert.equal(code, 0);
    const { values } = await readData(at("t.safetensors"));
    await using files = await openModelFiles(BUILT_IN);
    const stored = new Uint8Array(64 * 64 * 4);
    await files.read(name, 0, stored);
    assert.deepEqual(values.shape, [64, 64]);
    assert.deepEqual(values.bytes, stored);
  });

  test("eval perplexity tells the same figures of a file and of documents, by their own units", async () => {
    const story = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. ";
    await writeFile(at("story.txt"), story.repeat(4));
    await writeFile(at("rows.jsonl"), `${JSON.stringify({ story })}\n\n${JSON.stringify({ story })}\n`);
    const evaluate = ["eval", "perplexity", "stories260k"];
    const file = await json<Record<string, number>>([...evaluate, "--file", at("story.txt"), "--window", "32"]);
    const rows = await json<Record<string, number>>([...evaluate, "--jsonl", at("rows.jsonl"), "--field", "story"]);
    for (const figures of [file, rows]) {
      assert.ok(Object.values(figures).every(isNumber));
      assert.equal(figures.perplexity, Math.exp(figures.nats_per_token));
      assert.ok(figures.nats_per_char > 0 && figures.nats_per_char < figures.nats_per_token);
      assert.ok(figures.nats_per_token > 0.1 && figures.nats_per_token < 2, "the model was trained on such stories");
      // ASCII: as many bytes as characters
      assert.ok(Math.abs(figures.bits_per_byte - figures.nats_per_char / Math.LN2) < 1e-12);
    }
    assert.equal(file.tokens, file.chunks * 31);
    assert.equal(rows.documents, 2);
    const { ids } = await json<{ ids: number[] }>(["tokenize", story]);
    assert.equal(rows.tokens, 2 * (ids.length + 1), "every token of a document and its end are predicted");
  });

  test("eval kv tells what types of keys and values save and cost beside f16, and refuses what does not fit", async () => {
    const args = ["eval", "kv", "liang-shi", "--context", "16", "--text-tokens", "24", "--json"];
    const { rungs, tokens, context } = await json<{ rungs: Json[]; tokens: number; context: number }>(args);
    assert.deepEqual([tokens, context], [23, 16]);
    assert.deepEqual(
      rungs.map(({ type }) => type),
      ["f16", "q8_0", "q4_0"],
    );
    const [plain, eight, four] = rungs as unknown as Record<string, number>[];
    assert.equal(eight.bytes_per_token / plain.bytes_per_token, 34 / 64);
    assert.equal(four.bytes_per_token / plain.bytes_per_token, 18 / 64);
    assert.ok(plain.kl_divergence === 0 && eight.kl_divergence > 0 && four.kl_divergence > eight.kl_divergence);
    assert.ok(
      rungs.every((rung) => Object.values(rung).every((value) => typeof value === "string" || isNumber(value))),
    );
    for (const [words, message] of [
      [["eval", "kv", "liang-shi", "--window", "64"], /--window says nothing to kv/],
      [["eval", "perplexity", "liang-shi", "--context", "64"], /--context says nothing to perplexity/],
      [["eval", "kv", "liang-shi", "--types", "q6_k"], /--types is "q6_k", expected some of f32,q8_0,q4_0/],
      [
        ["run", "stories260k", "hello", "--kv-type", "q8_0"],
        /blocks of 32 columns, and heads of this model \(llama\) have 8/,
      ],
      [["run", "liang-shi", "hello", "--kv-type", "q5_1"], /--kv-type is "q5_1", expected f32 or f16 or q8_0 or q4_0/],
    ] as const) {
      const { code, stdout, stderr } = await liang.run(words);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, message);
    }
  });

  test("bench --json tells all its fields as one object", async () => {
    const { model, executor, tier, ...figures } = await json(["bench", GOLDEN, "--runs", "1"]);
    assert.deepEqual([model, executor, typeof tier], ["llama", "cpu", "string"]);
    const fields = ["threads", "load_s", "ttft_s", "prefill_tok_s", "decode_tok_s", "read_gb_s"];
    for (const field of [...fields, "bytes_per_token", "rss_mb"]) {
      assert.ok(isNumber(figures[field]) && (figures[field] as number) > 0, `${field} is ${String(figures[field])}`);
    }
    assert.ok(isNumber(figures.weights_mb)); // rounds to 0 for a model this small
  });

  test("bench refuses options of models for kernels, of kernels for models; a model called kernels has a path", async () => {
    for (const [args, message] of [
      [[], /bench needs a model, or `kernels`\./],
      [["kernels", "--runs", "2"], /--runs says nothing to the kernels' measurement/],
      [["kernels", "--formats", "q3_k"], /--formats has "q3_k", expected some of f32, /],
      [[GOLDEN, "--tier", "wasm"], /--tier is for kernels; LIANG_CPU=NAME/],
      [[GOLDEN, "--formats", "q4_k"], /--formats is for kernels/],
    ] as const) {
      const { code, stderr } = await refusalIn(join(folder, "home"), ["bench", ...args]);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
    const { code, stderr } = await refusalIn(join(folder, "home"), ["bench", "./kernels"]);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /kernels/);
  });

  test("add, list, show and rm keep a model under a name, its file untouched", async () => {
    const home = liangIn(at("second-home"));
    const added = await home.run(["add", BUILT_IN, "--name", "mine", "--json"]);
    assert.equal((JSON.parse(added.stdout) as Json).name, "mine");
    const listed = JSON.parse((await home.run(["list", "--json"])).stdout) as Json[];
    assert.deepEqual(
      listed.map(({ name }) => name),
      ["mine", "liang-shi", "stories260k"],
    );
    const { stdout: shown } = await home.run(["show", "mine", "--json"]);
    const { family, parameters, memory } = JSON.parse(shown) as { family: string; parameters: number; memory: Json };
    assert.deepEqual([family, parameters, memory.fits], ["llama", 260_032, true]);
    assert.deepEqual(JSON.parse((await home.run(["rm", "mine", "--json"])).stdout), {
      path: BUILT_IN,
      adapters: [],
      deletedFiles: false,
      packedBytes: 0,
    });
    assert.equal((await home.run(["run", "mine", "x"])).code, 4);
  });

  test("list shows what packed weights take, rm removes them, by path where the model is not on the list", async () => {
    const home = liangIn(at("third-home"));
    await home.run(["add", BUILT_IN, "--name", "mine"]);
    const packs = openPackCache(packedFolder(at("third-home")));
    const elsewhere = at("elsewhere.gguf");
    for (const model of [BUILT_IN, elsewhere]) {
      const writer = await packs.create({ model, text: "", dataBytes: 1000 });
      assert.ok(!("refused" in writer));
      await writer.append(new Uint8Array(1000));
      await writer.finish();
    }
    const { stdout: table } = await home.run(["list"]);
    assert.match(table, new RegExp(`\\(not listed\\) +2\\.1 MB +${elsewhere}\n`));
    await rm(codeFolder(at("third-home"))); // it was the one that tests share
    await mkdir(codeFolder(at("third-home")));
    await writeFile(join(codeFolder(at("third-home")), "kernel.bin"), new Uint8Array(3000));
    assert.match((await home.run(["list"])).stdout, /kept machine code takes 3\.0 kB more/i);
    const [mine] = JSON.parse((await home.run(["list", "--json"])).stdout) as { packedBytes: number }[];
    assert.equal(mine.packedBytes, (2 << 20) + 1000);
    const { stdout: removed } = await home.run(["rm", elsewhere]);
    assert.match(removed, /its packed weights are removed, 2.1 MB/);
    assert.equal((await home.run(["rm", elsewhere])).code, 4);
    await home.run(["rm", "mine"]);
    assert.deepEqual(await packs.list(), []);
  });
});
