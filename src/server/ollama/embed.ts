// POST /api/embed and the older /api/embeddings, as Ollama has them. Unlike Ollama, what is too long is refused unless
// `truncate` is true: nothing is cut in silence.
import * as z from "zod";
import { withoutUndefined } from "../../base/collections.ts";
import { shortestDecimals } from "../../base/shortest-decimal.ts";
import type { EmbedOptions } from "../../chat/types.ts";
import { readJson } from "../body.ts";
import { reportError, statusOf } from "../errors.ts";
import type { ModelPool } from "../model-pool.ts";
import { flag, modelField, whole } from "../openai/fields.ts";

const INPUTS_MAX = 2048;
const texts = z.array(z.string("expected strings"), "expected a string or an array of strings");

const embedRequest = z.object({
  model: modelField,
  input: z.union([z.string(), texts.max(INPUTS_MAX, `expected at most ${INPUTS_MAX} inputs`)]),
  truncate: flag.nullish(),
  dimensions: whole(1).nullish(),
});
const embeddingsRequest = z.object({ model: modelField, prompt: z.string("expected a string") });

type Log = (error: unknown) => void;

export const embed = (request: Request, pool: ModelPool, log: Log): Promise<Response> =>
  answered(log, async () => {
    const startMs = performance.now();
    const { model, input, truncate, dimensions } = await readJson(request, embedRequest);
    using lease = await pool.acquire(model ?? undefined, { signal: request.signal });
    const loadedMs = performance.now();
    const inputs = typeof input === "string" ? [input] : input;
    const options = withoutUndefined<EmbedOptions>({
      truncate: truncate ?? undefined,
      dimensions: dimensions ?? undefined,
      prompt: undefined,
      signal: request.signal,
    });
    const { vectors, tokens } = await lease.model.embed(inputs, options);
    return {
      model: lease.name,
      embeddings: vectors.map(shortestDecimals),
      total_duration: nanoseconds(performance.now() - startMs),
      load_duration: nanoseconds(loadedMs - startMs),
      prompt_eval_count: tokens,
    };
  });

export const embedPrompt = (request: Request, pool: ModelPool, log: Log): Promise<Response> =>
  answered(log, async () => {
    const { model, prompt } = await readJson(request, embeddingsRequest);
    using lease = await pool.acquire(model ?? undefined, { signal: request.signal });
    const { vectors } = await lease.model.embed([prompt], { signal: request.signal });
    return { embedding: shortestDecimals(vectors[0]) };
  });

const nanoseconds = (ms: number): number => Math.round(ms * 1e6);

/** Ollama's clients read an error's text from `error`. */
async function answered(log: Log, answer: () => Promise<object>): Promise<Response> {
  try {
    return Response.json(await answer());
  } catch (failure) {
    const { message } = reportError(failure, log);
    return Response.json({ error: message }, { status: statusOf(failure) });
  }
}
