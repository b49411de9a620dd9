// Texts → vectors: prompts, ids, the model's rows, one vector of each text. Not here: which model files want what
// (engine/reading-settings.ts), running rows (engine/encoder.ts).
import { ContextLengthError, UsageError, show } from "../../base/errors.ts";
import type { Encoder, TextRows } from "../../engine/index.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { EmbedOptions, Embeddings } from "../types.ts";
import type { Pooling, ReadingSettings } from "../../engine/reading-settings.ts";
import { meanOf, unitVector } from "./vectors.ts";

/** The rows of a text that its vector is made of. */
const ROWS: Readonly<Record<Pooling, (length: number) => readonly number[]>> = {
  mean: (length) => Array.from({ length }, (_, row) => row),
  first: () => [0],
  last: (length) => [length - 1],
};

export interface EmbedderParts {
  readonly tokenizer: Tokenizer;
  readonly settings: ReadingSettings;
  readonly encoder: Encoder;
}

/** Throws UsageError for options out of range, ContextLengthError for a text that is too long, AbortError. */
export async function embed(
  { tokenizer, settings, encoder }: EmbedderParts,
  inputs: readonly (string | readonly number[])[],
  options: EmbedOptions = {},
): Promise<Embeddings> {
  const { dimensions = encoder.columns, truncate = false, signal } = options;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > encoder.columns) {
    const expected = `a whole number from 1 to the model's ${encoder.columns}`;
    throw new UsageError(`dimensions is ${dimensions}, expected ${expected}.`, { field: "dimensions" });
  }
  const prompt = promptOf(settings, options.prompt);
  const sequences = inputs.map((input, index): TextRows => {
    const ids = typeof input === "string" ? idsOf(tokenizer, prompt + input) : input;
    const kept = fitted(tokenizer, ids, encoder.window, truncate, index);
    return { ids: kept, outputs: ROWS[settings.pooling](kept.length) };
  });
  const rows = await encoder.run(sequences, signal);
  return {
    vectors: rows.map((values) => {
      const pooled = settings.pooling === "mean" ? meanOf(values, encoder.columns) : values;
      return unitVector(pooled, dimensions);
    }),
    tokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}

export const idsOf = (tokenizer: Tokenizer, text: string): number[] => tokenizer.encode(text, { bos: true });

function promptOf({ prompts, defaultPrompt }: ReadingSettings, name = defaultPrompt): string {
  if (name === undefined) return "";
  if (Object.hasOwn(prompts, name)) return prompts[name];
  const known = Object.keys(prompts);
  throw new UsageError(`The model has no prompt ${show(name)}.`, {
    field: "prompt",
    hint: known.length === 0 ? "It has none." : `It has ${known.join(", ")}.`,
  });
}

/** What is too long is refused, or cut where the caller says so; what ends a text stays at its end. */
function fitted(
  tokenizer: Tokenizer,
  ids: readonly number[],
  window: number,
  truncate: boolean,
  index: number,
): readonly number[] {
  if (ids.length <= window) return ids;
  if (!truncate) {
    const hint = `It is text ${index + 1} of the request. Shorten it, or ask for what does not fit to be cut.`;
    throw new ContextLengthError(ids.length, window, { hint });
  }
  const last = tokenizer.addEos ? ids.slice(-1) : [];
  return [...ids.slice(0, window - last.length), ...last];
}
