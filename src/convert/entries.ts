// GGUF metadata entries, made short.
import type { GgufEntry } from "../format/gguf-types.ts";

export const text = (value: string): GgufEntry => ({ type: "string", value });
export const count = (value: number): GgufEntry => ({ type: "u32", value });
export const flag = (value: boolean): GgufEntry => ({ type: "bool", value });
/** A number as GGUF keeps settings: rounded to f32. */
export const real = (value: number): GgufEntry => ({ type: "f32", value: Math.fround(value) });
export const texts = (value: readonly string[]): GgufEntry => ({ type: "array", of: "string", value });
export const floats = (value: Float32Array<ArrayBuffer>): GgufEntry => ({ type: "array", of: "f32", value });
export const integers = (value: Int32Array<ArrayBuffer>): GgufEntry => ({ type: "array", of: "i32", value });
