// Parameter stores in memory for tests: named rows in any number format, filled from a seed.
import type { ParameterStore, StoredParameter } from "../../src/device/executor.ts";
import { type FormatName, bytesForRow, formats } from "../../src/numeric/registry.ts";

export interface TestParameter {
  readonly rows: number;
  readonly columns: number;
  readonly format: FormatName;
  readonly bytes: Uint8Array;
  readonly matrices?: number;
}

export function memoryStore(parameters: Readonly<Record<string, TestParameter>>): ParameterStore {
  const stored = Object.entries(parameters).map(([name, { bytes, ...facts }]): [string, StoredParameter] => [
    name,
    { name, ...facts, byteLength: bytes.byteLength },
  ]);
  return {
    parameters: new Map(stored),
    async readRows(name, firstRow, into) {
      const { format, columns, bytes } = parameters[name];
      const at = firstRow * bytesForRow(format, columns);
      into.set(bytes.subarray(at, at + into.byteLength));
    },
  };
}

/** Random 32-bit numbers (Marsaglia 2003, xorshift): fast, which base/random.ts is not. */
export function randomBits(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Numbers of a bell-like shape around 0, times `scale`. */
export function randomFloats(seed: number, count: number, scale = 1): Float32Array<ArrayBuffer> {
  const next = randomBits(seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = ((next() + next() + next()) / 2 ** 32 - 1.5) * 2 * scale;
  return values;
}

/** Byte offsets of a block's f16 scales, or of its powers of two. */
const scaleOffsets: Partial<Record<FormatName, readonly number[]>> = {
  q4_0: [0],
  q4_1: [0, 2],
  q5_0: [0],
  q5_1: [0, 2],
  iq4_nl: [0],
  iq4_xs: [0],
  mxfp4: [0],
  q8_0: [0],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
};

/** Random weights: float formats from random numbers; block formats are random bits under sane scales, all codes used. */
export function randomParameter(seed: number, format: FormatName, rows: number, columns: number): TestParameter {
  const scales = scaleOffsets[format];
  if (scales === undefined) {
    const values = randomFloats(seed, rows * columns, 0.1);
    const bytes = format === "f64" ? new Uint8Array(Float64Array.from(values).buffer) : formats[format].encode!(values);
    return { rows, columns, format, bytes };
  }
  const bytes = new Uint8Array(rows * bytesForRow(format, columns));
  const next = randomBits(seed);
  for (let i = 0; i < bytes.length; i++) bytes[i] = next() >>> 8;
  const { blockBytes } = formats[format];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    // 2^-10 to 2^-6, either sign
    if (format === "mxfp4") bytes[at] = 117 + (bytes[at] % 5);
    else for (const offset of scales) bytes[at + offset + 1] = (bytes[at + offset + 1] & 0x83) | 0x14;
  }
  return { rows, columns, format, bytes };
}
