// seq2seq from a recipe: pairs of sentences become a model that is opened as any other and translates what it learnt. A T5 of
// two layers, two dozen real pairs, learnt by heart.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { load } from "../../src/index.ts";
import { trainTokenizer, writeTokenizer } from "../../src/text/training/index.ts";
import { prepareData } from "../../src/train/data/prepare.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { parseRecipe } from "../../src/train/recipe.ts";
import { train } from "../../src/train/run.ts";
import type { RunEvent } from "../../src/train/loop.ts";
import { cpuTiers } from "../cpu/tiers.ts";

const root = await mkdtemp(join(tmpdir(), "liang-translation-"));
after(() => rm(root, { recursive: true }));
const PAIRS = join(import.meta.dirname, "../golden/train/translations.jsonl");
const pairs = (await readFile(PAIRS, "utf8"))
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { source: string; target: string });
const STEPS = 160;
const adamw = { name: "adamw", rate: 0.01 };

const recipeOf = (folder: string, samples: object): string =>
  JSON.stringify({
    stage: "seq2seq",
    model: {
      model_type: "t5",
      d_model: 64,
      d_kv: 16,
      d_ff: 128,
      num_layers: 1,
      num_heads: 4,
      n_positions: 64,
      feed_forward_proj: "gated-gelu",
      tie_word_embeddings: false,
    },
    tokenizer: join(folder, "tokenizer"),
    data: join(folder, "data"),
    steps: STEPS,
    batch: { window: 32, rows: 512 },
    optimizer: { matrices: adamw, others: adamw },
    samples,
    seed: 1,
  });

for (const addEos of [true, false]) {
  test(`a model translates what it learnt, whose words ${addEos ? "end sources" : "do not"}`, async () => {
    const folder = join(root, `${addEos}`);
    const specials = { changedRoles: { bos: "", pad: "<pad>" }, addEos };
    const options = { kind: "characters", vocabularySize: 400, countMin: 1, specials, threads: 1 } as const;
    await writeTokenizer(join(folder, "tokenizer"), await trainTokenizer({ files: [PAIRS] }, options));
    await prepareData([PAIRS], join(folder, "data"), { duplicates: "keep", validationShare: 0 });
    const [{ source, target }] = pairs;
    const samples = { every: STEPS, prompts: [source], tokens: 16, temperature: 0 };
    await using prepared = await prepareRun(parseRecipe("t5.json", recipeOf(folder, samples)), { threads: 1 });
    const events: RunEvent[] = [];
    const [executor] = cpuTiers();
    const { checkpoint } = await train(prepared, {
      executor,
      checkpoints: join(folder, "checkpoints"),
      onEvent: (event) => events.push(event),
    });
    assert.deepEqual(
      events.flatMap((event) => (event.type === "sample" ? [event.text] : [])),
      [target],
    );
    const config = JSON.parse(await readFile(join(checkpoint, "config.json"), "utf8")) as Record<string, unknown>;
    assert.deepEqual([config["architectures"], config["decoder_start_token_id"]], [["T5ForConditionalGeneration"], 0]);
    await using model = await load(checkpoint, { threads: 1, window: 64, slots: 1 });
    const wrong: string[] = [];
    for (const pair of pairs) {
      let text = "";
      for await (const event of model.chat([{ role: "user", content: pair.source }])) {
        if (event.type === "text-delta") text += event.text;
      }
      if (text !== pair.target) wrong.push(`${pair.source} ${text}`);
    }
    assert.deepEqual(wrong, []);
  });
}
