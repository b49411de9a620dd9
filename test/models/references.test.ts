// Two real language models through the door against `../shared/data/real`: with the reference tokens fed in the best
// token is llama.cpp's wherever its margin is at least 0.5; perplexity with f32 activations is float32's to 0.1 %, and
// with rounded activations no farther from it than llama.cpp's is, plus 0.5 %. The README there tells how the numbers
// were made. About ten minutes on two cores.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { load } from "../../src/chat/load.ts";
import type { LanguageModel } from "../../src/chat/types.ts";
import { filePerplexity } from "../../src/eval/perplexity.ts";
import { modelFile } from "../model-files.ts";
import { sharedData } from "../shared-data.ts";

interface Reference {
  readonly greedy: readonly {
    readonly prompt: string;
    readonly prompt_ids: readonly number[];
    readonly ids: readonly number[];
    readonly margins: readonly number[];
    readonly safe_steps?: number;
  }[];
  readonly perplexity: readonly {
    readonly name: string;
    readonly file: string;
    readonly byte_start: number;
    readonly byte_end: number;
    readonly context: number;
    readonly chunks: number;
    readonly f32: Losses;
    readonly llama_cpp: Losses;
  }[];
}

interface Losses {
  readonly nll_all: number;
  readonly nll_second_half: number;
}

/** Below this margin (best minus second logit) the reference itself says that the choice may differ. */
const MARGIN = 0.5;

/** Position of the largest value of row `row`. */
function best(logits: Float32Array, row: number, columns: number): number {
  let at = row * columns;
  for (let i = at + 1; i < (row + 1) * columns; i++) if (logits[i] > logits[at]) at = i;
  return at - row * columns;
}

async function checkGreedy(model: LanguageModel, { greedy }: Reference): Promise<string> {
  let compared = 0;
  for (const { prompt, prompt_ids, ids, margins } of greedy) {
    const logits = await model.logits([...prompt_ids, ...ids.slice(0, -1)]);
    for (const [step, id] of ids.entries()) {
      if (margins[step] < MARGIN) continue;
      const row = prompt_ids.length - 1 + step;
      assert.equal(best(logits, row, model.info.vocabularySize), id, `${JSON.stringify(prompt)}, step ${step}`);
      compared++;
    }
  }
  assert.ok(compared > 200, `only ${compared} steps were compared`);
  return `${compared} steps agree`;
}

/** Replies made by decoding, up to the first near-tie. */
async function checkReplies(model: LanguageModel, { greedy }: Reference): Promise<void> {
  for (const { prompt, prompt_ids, ids, safe_steps: steps = ids.length } of greedy) {
    if (steps === 0) continue;
    for await (const event of model.generate(prompt_ids, { temperature: 0, maxTokens: steps, ignoreEnd: true })) {
      if (event.type === "end") assert.deepEqual(event.ids, ids.slice(0, steps), prompt);
    }
  }
}

for (const name of ["gemma-3-270m-q4_k_m", "qwen2.5-coder-1.5b-instruct-q4_k_m"]) {
  const [file, golden] = [modelFile(`${name}.gguf`), sharedData(`real/${name}.json`)];
  describe(name, { skip: file.skip || golden.skip }, () => {
    if (file.skip || golden.skip) return;
    const reference = JSON.parse(readFileSync(golden.path, "utf8")) as Reference;

    for (const precision of ["f32", "fast"] as const) {
      test(`the best token is the reference's where its margin is clear, precision ${precision}`, async (t) => {
        await using model = await load(file.path, { precision, window: 640, slots: 1 });
        t.diagnostic(await checkGreedy(model, reference));
        await checkReplies(model, reference);
      });

      for (const { name, file: text, byte_start, byte_end, context, chunks, f32, llama_cpp } of reference.perplexity) {
        test(`perplexity of ${name}, precision ${precision}`, async (t) => {
          const content = readFileSync(sharedData(text).path).subarray(byte_start, byte_end).toString("utf8");
          await using model = await load(file.path, { precision, window: 640, slots: 1 });
          const found = await filePerplexity(model, content, context, { chunksMax: chunks });
          assert.equal(found.chunks, chunks);
          for (const part of ["nll_all", "nll_second_half"] as const) {
            const distance = Math.abs(found[part] / f32[part] - 1);
            const allowed = precision === "f32" ? 0.001 : Math.abs(llama_cpp[part] / f32[part] - 1) + 0.005;
            t.diagnostic(`${part} ${found[part]}, ${(distance * 100).toFixed(3)} % from f32`);
            assert.ok(distance <= allowed, `${part} is ${found[part]}, f32 ${f32[part]}, llama.cpp ${llama_cpp[part]}`);
          }
        });
      }
    }
  });
}
