// Texts and pictures → vectors: prompts, ids, the model's rows, one vector of each. Not here: which model files want what
// (engine/reading-settings.ts), rows of pictures (pictures.ts), running rows (engine/encoder.ts).
import { ContextLengthError, UnsupportedError, UsageError, show } from "../../base/errors.ts";
import type { Encoder, ImageRows, TextRows } from "../../engine/index.ts";
import type { Model } from "../../models/index.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { EmbedInput, EmbedOptions, Embeddings, Picture } from "../types.ts";
import type { PictureReader } from "./pictures.ts";
import type { Pooling, ReadingSettings } from "../../engine/reading-settings.ts";
import { meanOf, unitVector } from "./vectors.ts";

/** The rows of a text that its vector is made of. */
const ROWS: Readonly<Record<Pooling, (length: number) => readonly number[]>> = {
  mean: (length) => Array.from({ length }, (_, row) => row),
  first: () => [0],
  last: (length) => [length - 1],
};
/** Images whose patches are in memory at once. */
const IMAGES_TOGETHER = 32;

export interface EmbedderParts {
  readonly model: Pick<Model, "family" | "endId">;
  readonly tokenizer: Tokenizer;
  readonly settings: ReadingSettings;
  /** Absent: it reads no texts, no images. */
  readonly texts?: (() => Promise<Encoder>) | undefined;
  readonly images?: { readonly open: () => Promise<Encoder>; readonly read: PictureReader } | undefined;
}

/** Vectors in the order of the inputs. Throws as `LanguageModel.embed` does. */
export async function embed(
  parts: EmbedderParts,
  inputs: readonly EmbedInput[],
  options: EmbedOptions = {},
): Promise<Embeddings> {
  const vectors: Float32Array[] = [];
  let tokens = 0;
  const put = (indices: readonly number[], made: Embeddings): void => {
    for (const [i, index] of indices.entries()) vectors[index] = made.vectors[i];
    tokens += made.tokens;
  };
  const isImage = (index: number): boolean => isPicture(inputs[index]);
  const [images, texts] = [true, false].map((wanted) =>
    [...inputs.keys()].filter((index) => isImage(index) === wanted),
  );
  if (texts.length > 0) put(texts, await embedTexts(parts, inputs, texts, options));
  for (let first = 0; first < images.length; first += IMAGES_TOGETHER) {
    const together = images.slice(first, first + IMAGES_TOGETHER);
    put(together, await embedImages(parts, inputs, together, options));
  }
  return { vectors, tokens };
}

const isPicture = (input: EmbedInput): input is { readonly image: Picture } =>
  typeof input === "object" && "image" in input;

async function embedTexts(
  { model, tokenizer, settings, texts }: EmbedderParts,
  inputs: readonly EmbedInput[],
  indices: readonly number[],
  { dimensions, truncate = false, prompt: asked, signal }: EmbedOptions,
): Promise<Embeddings> {
  if (texts === undefined) throw new UnsupportedError(`The model (${model.family}) reads images and no texts.`);
  const encoder = await texts();
  const kept = checkedDimensions(encoder, dimensions);
  const prompt = promptOf(settings, asked);
  const sequences = indices.map((index): TextRows => {
    const input = inputs[index] as string | readonly number[];
    const ids = typeof input === "string" ? idsOf(tokenizer, prompt + input) : input;
    const fitting = fitted(tokenizer, ids, encoder.window, truncate, index);
    const { pooling } = settings;
    const outputs = pooling === "end" ? [endOf(fitting, model.endId!, index)] : ROWS[pooling](fitting.length);
    return { ids: fitting, outputs };
  });
  const rows = await encoder.run(sequences, signal);
  return {
    vectors: rows.map((values) => {
      const pooled = settings.pooling === "mean" ? meanOf(values, encoder.columns) : values;
      return unitVector(pooled, kept);
    }),
    tokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}

async function embedImages(
  { model, images }: EmbedderParts,
  inputs: readonly EmbedInput[],
  indices: readonly number[],
  { dimensions, signal }: EmbedOptions,
): Promise<Embeddings> {
  if (images === undefined) throw new UnsupportedError(`The model (${model.family}) reads texts and no images.`);
  const sequences: ImageRows[] = [];
  for (const index of indices) {
    signal?.throwIfAborted();
    sequences.push(await images.read((inputs[index] as { image: Picture }).image, `image ${index + 1}`));
  }
  const encoder = await images.open();
  const kept = checkedDimensions(encoder, dimensions);
  const rows = await encoder.run(sequences, signal);
  return { vectors: rows.map((values) => unitVector(values, kept)), tokens: rows.length * encoder.window };
}

function checkedDimensions({ columns }: Encoder, dimensions = columns): number {
  if (Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= columns) return dimensions;
  const expected = `a whole number from 1 to the model's ${columns}`;
  throw new UsageError(`dimensions is ${dimensions}, expected ${expected}.`, { field: "dimensions" });
}

/** The row that stands for the whole text. */
function endOf(ids: readonly number[], endId: number, index: number): number {
  const row = ids.indexOf(endId);
  if (row >= 0) return row;
  const hint = `It is text ${index + 1} of the request.`;
  throw new UsageError(`A text has no id ${endId}, which ends texts of this model.`, { field: "input", hint });
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
