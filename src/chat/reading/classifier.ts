// What a picture shows: by a model's own classes, or, where it reads texts into the same space, by any labels.
import { FormatError, UnsupportedError, UsageError } from "../../base/errors.ts";
import type { ParameterStore } from "../../device/executor.ts";
import type { Encoder } from "../../engine/index.ts";
import { formats } from "../../numeric/registry.ts";
import type { Classification, ClassifyOptions, Embeddings, Picture } from "../types.ts";
import type { PictureReader } from "./pictures.ts";

/** What labels are put into, as transformers has it. */
const PROMPT = "This is a photo of {}.";

/** Names of a model's classes: config.json's `id2label`, else their numbers. Throws FormatError for what is no such list. */
export function classLabels(file: string, config: Readonly<Record<string, unknown>>, count: number): string[] {
  const found = config["id2label"] ?? {};
  if (typeof found !== "object") throw new FormatError(file, "id2label", found, "names by their numbers");
  const names = found as Readonly<Record<string, unknown>>;
  return Array.from({ length: count }, (_, i) => {
    const name = names[i] ?? String(i);
    if (typeof name !== "string") throw new FormatError(file, `id2label ${i}`, name, "text");
    return name;
  });
}

/** By the classes of the model's head for scores. */
export async function classify(
  { encoder, read, labels }: { encoder: Encoder; read: PictureReader; labels: readonly string[] },
  pictures: readonly Picture[],
  { top, signal }: ClassifyOptions,
): Promise<Classification[]> {
  const rows = await Promise.all(pictures.map((picture, i) => read(picture, `image ${i + 1}`)));
  return (await encoder.run(rows, signal)).map((scores) => ranked(labels, scores, top));
}

/** By how near each label's text is to the picture; `scale` is what nearness is multiplied by. */
export async function classifyByTexts(
  { embed, scale }: { embed: (inputs: readonly (string | { image: Picture })[]) => Promise<Embeddings>; scale: number },
  pictures: readonly Picture[],
  { labels = [], prompt = PROMPT, top }: ClassifyOptions,
): Promise<Classification[]> {
  if (labels.length === 0) {
    throw new UsageError("There are no labels.", {
      field: "labels",
      hint: "This model has no classes of its own: give words for what an image may show.",
    });
  }
  if (!prompt.includes("{}")) {
    throw new UsageError(`prompt is ${JSON.stringify(prompt)}, expected {} where a label goes.`, { field: "prompt" });
  }
  const texts = labels.map((label) => prompt.replaceAll("{}", () => label));
  const { vectors } = await embed([...texts, ...pictures.map((image) => ({ image }))]);
  const [ofTexts, ofImages] = [vectors.slice(0, texts.length), vectors.slice(texts.length)];
  return ofImages.map((image) => {
    const scores = ofTexts.map((text) => scale * text.reduce((sum, value, i) => sum + value * image[i], 0));
    return ranked(labels, scores, top);
  });
}

/** The number that a model has for how sharply texts and images differ: its exponential. */
export async function scaleOf(store: ParameterStore, parameter: string): Promise<number> {
  const { format, byteLength } = store.parameters.get(parameter)!;
  const bytes = new Uint8Array(byteLength);
  await store.readRows(parameter, 0, bytes);
  return Math.exp(formats[format].decode(bytes, 1)[0]);
}

/** Throws UnsupportedError: there is nothing to tell classes of images by. */
export function noClasses(family: string): never {
  throw new UnsupportedError(`The model (${family}) tells no classes of images.`, {
    hint: "Take one with a head for them (vit), or one that reads images and texts (clip).",
  });
}

/** The best first; equal ones stay in the order of the labels. */
function ranked(labels: readonly string[], scores: ArrayLike<number>, top = labels.length): Classification {
  const largest = labels.reduce((most, _, i) => Math.max(most, scores[i]), -Infinity);
  const shares = labels.map((_, i) => Math.exp(scores[i] - largest));
  const sum = shares.reduce((a, b) => a + b, 0);
  const all = labels.map((label, i) => ({ label, score: scores[i], probability: shares[i] / sum }));
  return { results: all.sort((a, b) => b.score - a.score).slice(0, top) };
}
