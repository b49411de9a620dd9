// What training saves is what other programs open: a tiny run of each shape, whose folder transformers opens as it is and
// whose GGUF llama.cpp opens: the same ids of texts, the same logits, the same greedy reply.
// Needs a Python that has transformers and torch (LIANG_PYTHON, else python3), and node-llama-cpp (npm ci in
// bench/peers/node-llama-cpp); what is missing is skipped by name.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { load } from "../../src/index.ts";
import { ROOT, liangIn } from "../cli/harness.ts";
import { readData } from "../safetensors-data.ts";

const python = process.env["LIANG_PYTHON"] ?? "python3";
const peer = join(ROOT, "bench/peers/node-llama-cpp");
const noTransformers =
  spawnSync(python, ["-c", "import torch, transformers"]).status !== 0 &&
  `${python} has no torch and transformers (LIANG_PYTHON names one that does)`;
const noLlamaCpp =
  !existsSync(join(peer, "node_modules/node-llama-cpp")) && "node-llama-cpp is not installed (npm ci in its folder)";

const folder = await mkdtemp(join(tmpdir(), "liang-peers-"));
after(() => rm(folder, { recursive: true }));
const liang = liangIn(join(folder, "home"));
const at = (...names: readonly string[]): string => join(folder, ...names);
const CORPUS = ["en", "zh"].map((name) => join(ROOT, `test/golden/tokenizer-training/${name}.txt`));

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await liang.run(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

const TEXTS = [
  "",
  " ",
  "Once upon a time, there was a cat.",
  "  two  blanks, and one behind ",
  "床前明月光，疑是地上霜。",
  "春 风 hello 花",
  "one\ntwo\r\n\n\tthree\n",
  "🙂 👩‍👩‍👧 ☯️ 龘 ü ½ \u00a0\u200b",
  "I've 12345 reasons; they're 3.14% of them…",
  "▁x ▁ <0x41> <|endoftext|>",
];
/** Of each the first tokens that are likeliest. */
const PROMPTS = ["The old man went to the", "Once", "I have a", "明月", "天下之", "He said that", "春", "and the"];
const WRITTEN = 6;

const llama = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  tie_word_embeddings: true,
};
const gpt2 = { model_type: "gpt2", n_embd: 64, n_layer: 2, n_head: 4, n_positions: 128 };
const bytePairs = ["--kind", "bpe", "--vocab", "600"];
// as recipes/liang-shi has it
const characters = ["--kind", "characters", "--vocab", "900", "--bos", "<|begin|>", "--add-bos", "--eos", "<|end|>"];

const SHAPES = {
  "a llama with byte pairs": { model: llama, tokenizer: bytePairs },
  "a llama with characters and bytes": { model: llama, tokenizer: [...characters, "--special", "<|user|>"] },
  "a llama with a head of its own": { model: { ...llama, tie_word_embeddings: false }, tokenizer: bytePairs },
  "a gpt2 with byte pairs": { model: gpt2, tokenizer: bytePairs },
} as const;

interface Answer {
  readonly texts: readonly (readonly number[])[];
  readonly decoded: readonly string[];
  readonly written: readonly (readonly number[])[];
}
interface TransformersAnswer extends Answer {
  readonly begins: readonly (readonly number[])[];
  readonly logits: readonly (readonly number[])[];
  readonly specials: Readonly<Record<"bos" | "eos", number | null>>;
}

/** Runs a program that reads one JSON document and writes one. */
function ask(program: string, args: readonly string[], question: object): unknown {
  const input = JSON.stringify(question);
  return JSON.parse(execFileSync(program, args, { input, encoding: "utf8", maxBuffer: 1 << 28 }));
}

for (const [name, { model, tokenizer }] of Object.entries(SHAPES)) {
  const skip = noTransformers !== false && noLlamaCpp !== false && `${noTransformers}; ${noLlamaCpp}`;
  describe(name, { skip }, () => {
    const own = name.replaceAll(" ", "-");
    let checkpoint = "";
    let ours: Awaited<ReturnType<typeof load>>;
    let ids: number[] = [];
    let prompts: number[][] = [];
    let question: object = {};

    before(async () => {
      await run("tokenizer", "train", ...CORPUS, ...tokenizer, "-o", at(own, "tokenizer"));
      await run("data", "prepare", ...CORPUS, "--documents", "paragraph", "-o", at(own, "data"));
      const recipe = {
        stage: "pretrain",
        model,
        tokenizer: at(own, "tokenizer"),
        data: at(own, "data"),
        steps: 120,
        batch: { window: 64, rows: 512, tokens: 512 },
        optimizer: { matrices: { name: "muon", rate: 0.02 }, others: { name: "adamw", rate: 0.01 } },
        checkpoint: { every: 120 },
      };
      await writeFile(at(own, "recipe.json"), JSON.stringify(recipe));
      const trained = await run(
        "train",
        "pretrain",
        "--recipe",
        at(own, "recipe.json"),
        "--name",
        own,
        "--threads",
        "1",
        "--json",
      );
      ({ checkpoint } = JSON.parse(trained.trimEnd().split("\n").at(-1)!) as { checkpoint: string });
      // both see the same numbers
      ours = await load(checkpoint, { executor: "reference", precision: "f32", kvType: "f32", window: 128, slots: 1 });
      ids = ours.tokenize("The old man went to the 明月", { bos: true });
      prompts = PROMPTS.map((prompt) => ours.tokenize(prompt, { bos: true }));
      question = { texts: TEXTS, ids, prompts, tokens: WRITTEN };
    });
    after(async () => await ours?.close());

    async function ourReplies(): Promise<number[][]> {
      const replies: number[][] = [];
      for (const prompt of prompts) {
        for await (const event of ours.generate(prompt, { temperature: 0, maxTokens: WRITTEN, ignoreEnd: true })) {
          if (event.type === "end") replies.push([...event.ids]);
        }
      }
      assert.ok(new Set(replies.map(String)).size > 1, "a model that always says the same shows nothing");
      return replies;
    }

    /** `special`: whether what is spelled like a control token is one. */
    function assertSameWords({ texts, decoded }: Answer, special: boolean): void {
      for (const [i, text] of TEXTS.entries()) {
        assert.deepEqual(texts[i], ours.tokenize(text, { special }), `ids of ${JSON.stringify(text)}`);
        assert.equal(decoded[i], ours.detokenize(texts[i]), `text of the ids of ${JSON.stringify(text)}`);
      }
    }

    test("transformers opens the folder: the same ids, logits and reply", { skip: noTransformers }, async (t) => {
      const script = join(import.meta.dirname, "checkpoint-transformers.py");
      const answer = ask(python, [script, checkpoint], question) as TransformersAnswer;
      assertSameWords(answer, true);
      const begins = TEXTS.map((text) => ours.tokenize(text, { bos: true, special: true }));
      assert.deepEqual(answer.begins, begins, "ids of texts as models read them");
      assert.deepEqual(answer.specials, { bos: ours.info.bosId ?? null, eos: ours.info.eosId ?? null });
      const file = at(own, "logits.safetensors");
      await run("inspect", "logits", checkpoint, "--ids", ids.join(","), "--out", file, "--executor", "reference");
      const { logits } = await readData(file);
      const theirs = answer.logits.flat();
      assert.equal(logits.f32.length, theirs.length);
      const largest = Math.max(...theirs.map(Math.abs));
      const difference = Math.max(...theirs.map((value, i) => Math.abs(value - logits.f32[i]))) / largest;
      t.diagnostic(`logits differ by ${difference.toExponential(1)} of the largest`);
      // our weights are the same f32, sums are f64 on both sides; what is left is f32 between steps
      assert.ok(difference < 1e-5, `logits differ by ${difference} of the largest`);
      assert.deepEqual(answer.written, await ourReplies());
    });

    test("llama.cpp opens its GGUF: the same ids and reply", { skip: noLlamaCpp }, async () => {
      const script = join(peer, "ids.mjs");
      const answer = ask(process.execPath, [script, join(checkpoint, "model.gguf")], question) as Answer;
      assertSameWords(answer, false);
      assert.deepEqual(answer.written, await ourReplies());
    });
  });
}
