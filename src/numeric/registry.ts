// The number formats, one row each; a format's own file holds its layout and its plain reference encode/decode.
// Not here: fast kernels (device/), which formats a file may hold (format/).
import { ShapeError } from "../base/errors.ts";
import { bf16 } from "./bf16.ts";
import type { BlockFormat } from "./block-format.ts";
import { f16 } from "./f16.ts";
import { f32 } from "./f32.ts";
import { f64 } from "./f64.ts";
import { iq1_m } from "./iq1-m.ts";
import { iq1_s } from "./iq1-s.ts";
import { iq2_s } from "./iq2-s.ts";
import { iq2_xs } from "./iq2-xs.ts";
import { iq2_xxs } from "./iq2-xxs.ts";
import { iq3_s } from "./iq3-s.ts";
import { iq3_xxs } from "./iq3-xxs.ts";
import { iq4_nl } from "./iq4-nl.ts";
import { iq4_xs } from "./iq4-xs.ts";
import { mxfp4 } from "./mxfp4.ts";
import { nvfp4 } from "./nvfp4.ts";
import { q2_k } from "./q2-k.ts";
import { q3_k } from "./q3-k.ts";
import { tq1_0 } from "./tq1-0.ts";
import { tq2_0 } from "./tq2-0.ts";
import { q4_0 } from "./q4-0.ts";
import { q4_1 } from "./q4-1.ts";
import { q4_k } from "./q4-k.ts";
import { q5_0 } from "./q5-0.ts";
import { q5_1 } from "./q5-1.ts";
import { q5_k } from "./q5-k.ts";
import { q6_k } from "./q6-k.ts";
import { q8_0 } from "./q8-0.ts";

export type { BlockFormat } from "./block-format.ts";

/** Names of the formats, as GGUF's types in lower case. */
export type FormatName =
  | "f64"
  | "f32"
  | "f16"
  | "bf16"
  | "q4_0"
  | "q4_1"
  | "q5_0"
  | "q5_1"
  | "q8_0"
  | "q2_k"
  | "q3_k"
  | "q4_k"
  | "q5_k"
  | "q6_k"
  | "iq1_s"
  | "iq1_m"
  | "iq2_xxs"
  | "iq2_xs"
  | "iq2_s"
  | "iq3_xxs"
  | "iq3_s"
  | "iq4_nl"
  | "iq4_xs"
  | "tq1_0"
  | "tq2_0"
  | "mxfp4"
  | "nvfp4";

export const formats: { readonly [N in FormatName]: BlockFormat<N> } = {
  f64,
  f32,
  f16,
  bf16,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq1_s,
  iq1_m,
  iq2_xxs,
  iq2_xs,
  iq2_s,
  iq3_xxs,
  iq3_s,
  iq4_nl,
  iq4_xs,
  tq1_0,
  tq2_0,
  mxfp4,
  nvfp4,
};

/** Formats by their number in GGUF files. */
export const formatByGgmlType: ReadonlyMap<number, BlockFormat<FormatName>> = new Map(
  Object.values(formats).map((format) => [format.ggmlType, format]),
);

/** Bytes of a row of `columns` weights; throws ShapeError when they are no whole number of blocks. */
export function bytesForRow(format: FormatName, columns: number): number {
  const { blockSize, blockBytes } = formats[format];
  if (!Number.isSafeInteger(columns) || columns < 0 || columns % blockSize !== 0) {
    throw new ShapeError(`a row of ${format}`, columns, `a multiple of ${blockSize} columns`);
  }
  return (columns / blockSize) * blockBytes;
}
