// GGUF metadata entries, made short; and numbers of f32 precision as people write them.
import type { GgufEntry } from "../format/gguf-types.ts";

export const text = (value: string): GgufEntry => ({ type: "string", value });
export const count = (value: number): GgufEntry => ({ type: "u32", value });
export const flag = (value: boolean): GgufEntry => ({ type: "bool", value });
/** A number as GGUF keeps settings: rounded to f32. */
export const real = (value: number): GgufEntry => ({ type: "f32", value: Math.fround(value) });
export const texts = (value: readonly string[]): GgufEntry => ({ type: "array", of: "string", value });
export const floats = (value: Float32Array<ArrayBuffer>): GgufEntry => ({ type: "array", of: "f32", value });
export const integers = (value: Int32Array<ArrayBuffer>): GgufEntry => ({ type: "array", of: "i32", value });

/** The shortest decimal that is this f32: 0.000009999999747378752 → 0.00001. */
export function shortestDecimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
