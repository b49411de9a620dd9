// What a model says while it is trained: an engine over the weights as they are now, opened for a few replies.
import { promptOf } from "../chat/reply.ts";
import { createTextSide, withBos } from "../chat/text-side.ts";
import type { Executor } from "../device/executor.ts";
import { openEngine } from "../engine/index.ts";
import { uniform } from "../base/random.ts";
import { mergedStore } from "./merged-adapter.ts";
import { stageOf } from "./stages/registry.ts";
import { liveStore } from "./saved-tensors.ts";
import { weightState } from "../models/index.ts";
import { loraWeights } from "../nn/index.ts";
import type { PreparedRun } from "./prepared-run.ts";

export interface Sample {
  readonly prompt: string;
  readonly text: string;
}

/** The stream of random numbers that seeds come from. */
const SEED_STREAM = 2 ** 21;

/** The model as it is now, an adapter folded in. */
function currentStore({ adapter, start, store }: PreparedRun, states: Readonly<Record<string, Float32Array>>) {
  if (adapter === undefined) return liveStore(start.model, states, store);
  const adapters = adapter.projections.map((name) => {
    const names = loraWeights(name);
    const [a, b, magnitude] = [names.a, names.b, names.magnitude].map((weight) => states[weightState(weight)]);
    return [name, { scaling: adapter.settings, a, b, magnitude }] as const;
  });
  return mergedStore(store, new Map(adapters));
}

/**
 * A reply to each of the recipe's prompts: where the stage speaks a message is answered, what is a source for the model is
 * read as one, else the text goes on.
 */
export async function takeSamples(
  prepared: PreparedRun,
  states: Readonly<Record<string, Float32Array>>,
  step: number,
  executor: Executor,
  options: { readonly threads?: number | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Sample[]> {
  const { recipe, start } = prepared;
  const { model, tokenizer, chosen, endIds } = start;
  const { prompts, tokens, temperature } = recipe.samples;
  const startId = model.encoder?.startId;
  const asked: { prompt: string; ids: number[] }[] = [];
  for (const prompt of prompts) asked.push({ prompt, ids: await idsOf(prompt) });
  const longest = asked.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  await using engine = await openEngine(model, currentStore(prepared, states), executor, {
    window: Math.min(model.window, longest + tokens),
    slots: 1,
    precision: "f32",
    ...options,
  });
  const samples: Sample[] = [];
  for (const { prompt, ids } of asked) {
    const reply: number[] = [];
    const sampling = { temperature, seed: Math.floor(uniform(recipe.seed, SEED_STREAM, step) * 2 ** 32) };
    const request = { ...promptOf(ids, startId), maxTokens: tokens, endIds, sampling, ...options };
    for await (const event of engine.generate(request)) {
      if (event.type === "token") reply.push(event.id);
    }
    samples.push({ prompt, text: tokenizer.decode(reply, { special: false, start: ids.length === 0 }) });
  }
  return samples;

  async function idsOf(prompt: string): Promise<number[]> {
    if (stageOf(recipe).speaks || startId !== undefined) {
      const words = createTextSide({ tokenizer, template: chosen.template, startId });
      return await words.promptIds([{ role: "user", content: prompt }]);
    }
    const ids = withBos(tokenizer, tokenizer.encode(prompt));
    const first = tokenizer.specials.bos ?? tokenizer.specials.eos ?? 0;
    return ids.length > 0 ? ids : [first];
  }
}
