// Gains that a folder holds less 1 and GGUF whole (Gemma's norms). The sum rounds away bits of small f32 values, so where
// it does the folder's values go along in the metadata, under a key that only Liang reads, and come back from there.
import type { Files } from "../engine/file-store.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import { formats } from "../numeric/registry.ts";
import { floats } from "./entries.ts";
import type { TensorPlan } from "./tensor-plan.ts";

const KEY = "liang.gain_less_one.";

/** Entries for the plans whose values the sum would lose. */
export async function exactGainEntries(files: Files, plans: readonly TensorPlan[]): Promise<[string, GgufEntry][]> {
  const entries: [string, GgufEntry][] = [];
  for (const { name, source } of plans.filter((plan) => plan.source.addOne)) {
    const { tensor } = source.pieces[0];
    const format = formats[files.tensors.get(tensor)!.format];
    const bytes = new Uint8Array(source.columns * format.blockBytes);
    await files.read(tensor, 0, bytes);
    const values = format.decode(bytes, source.columns);
    if (values.some((value) => Math.fround(value + 1) - 1 !== value)) entries.push([`${KEY}${name}`, floats(values)]);
  }
  return entries;
}

/** `gains` less 1: the values that came along where they give just these gains, else the difference. */
export function gainsLessOne(
  gains: Float32Array<ArrayBuffer>,
  { config }: Pick<Files, "config">,
  tensor: string,
): Float32Array<ArrayBuffer> {
  const exact = config[`${KEY}${tensor}`];
  const fits =
    exact instanceof Float32Array &&
    exact.length === gains.length &&
    gains.every((gain, i) => Math.fround(exact[i] + 1) === gain);
  return fits ? Float32Array.from(exact) : gains.map((gain) => gain - 1);
}
