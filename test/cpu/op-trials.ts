// Trials of every op, over shapes that leave tails in registers, chunks and pages: graphs with their inputs, by what they
// show, and the weights that they read.
import { layouts } from "../../src/device/cpu/packed-layouts.ts";
import type { InputArray } from "../../src/device/executor.ts";
import {
  type ExtentValues,
  type StateType,
  type Tensor,
  add,
  attention,
  blockMax,
  gather,
  gatherMatmul,
  gelu,
  geluTanh,
  input,
  layerNorm,
  multiply,
  parameter,
  rmsNorm,
  rope,
  scale,
  silu,
  state,
  table,
  tanh,
  writeRows,
} from "../../src/graph/index.ts";
import { type FormatName, bytesForRow, formats } from "../../src/numeric/registry.ts";
import { type TestParameter, randomBits, randomFloats, randomParameter } from "./stores.ts";

export interface Trial {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly inputs: Readonly<Record<string, InputArray>>;
  readonly extents: ExtentValues;
  /** Allowed difference, as a share of the largest output. */
  readonly tolerance?: number;
}

/** The weights of all trials: one store serves every model. */
export const weights: Record<string, TestParameter> = {};
let created = 0;
/** A weight, or a state's name, of its own. */
const unique = (name: string): string => `${name}.${created++}`;

export function weight(seed: number, format: FormatName, ...shape: [number] | [number, number]): Tensor {
  const name = unique("weight");
  const [outer, columns] = shape.length === 1 ? [1, shape[0]] : shape;
  weights[name] = randomParameter(seed, format, outer, columns);
  return parameter(name, shape);
}

/** Rows of 64 weights in which each power of two that MXFP4 has scales one block: half of it, up and down. */
function powers(name: string): Tensor {
  const [blocks, columns] = [256, 64];
  const count = (blocks * formats.mxfp4.blockSize) / columns;
  const bytes = new Uint8Array(count * bytesForRow("mxfp4", columns)).fill(0x91);
  for (let block = 0; block < blocks; block++) bytes[block * formats.mxfp4.blockBytes] = block;
  weights[name] = { rows: count, columns, format: "mxfp4", bytes };
  return parameter(name, [count, columns]);
}

const rows = (bound = 40) => ({ name: "rows", bound });
export const matrix = (name: string, columns: number): Tensor => input(name, [rows(), columns], "f32");
/** (rows, columns) from 1 x 1 to more than a chunk. */
const sizes = [
  [1, 1],
  [1, 3],
  [3, 5],
  [2, 64],
  [7, 30],
  [40, 257],
];

function elementwise(make: (a: Tensor, b: Tensor) => Tensor): Trial[] {
  return sizes.map(([n, columns]) => ({
    outputs: { y: make(matrix("a", columns), matrix("b", columns)) },
    inputs: { a: randomFloats(1, n * columns, 3), b: randomFloats(2, n * columns, 3) },
    extents: { rows: n },
  }));
}

/** Pages in a scrambled order, `count` rows of each of two sequences after `before` earlier ones. */
export function attentionTrial(options: {
  heads: number;
  kvHeads: number;
  headSize: number;
  pageSize: number;
  lengths: readonly number[];
  type: StateType;
  window?: number;
  softCap?: number;
  size?: number;
}): Trial {
  const { heads, kvHeads, headSize, pageSize, lengths, type, window, softCap, size = 1 } = options;
  const most = Math.max(...lengths);
  const perSequence = Math.ceil(most / pageSize);
  const pages = perSequence * lengths.length;
  const total = lengths.reduce((a, b) => a + b, 0);
  const order = Array.from({ length: pages }, (_, i) => i);
  const next = randomBits(5);
  for (let i = pages - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const positions = lengths.flatMap((length) => Array.from({ length }, (_, i) => i));
  const sequences = lengths.flatMap((length, s) => Array.from({ length }, () => s));
  const slots = positions.map(
    (p, i) => order[sequences[i] * perSequence + Math.floor(p / pageSize)] * pageSize + (p % pageSize),
  );
  const n = { name: "rows", bound: total };
  const columns = kvHeads * headSize;
  const q = input("q", [n, heads * headSize], "f32");
  const slotsIn = input("slots", [n], "i32");
  const cache = (name: string): Tensor =>
    writeRows(
      state(unique(name), [pages * pageSize, columns], type),
      slotsIn,
      input(`${name}Rows`, [n, columns], "f32"),
    );
  const attributes = {
    heads,
    kvHeads,
    scale: headSize ** -0.5,
    pageSize,
    ...(window && { window }),
    ...(softCap && { softCap }),
  };
  const y = attention(
    {
      q,
      keys: cache("keys"),
      values: cache("values"),
      pages: input("pages", [{ name: "sequences", bound: lengths.length }, perSequence], "i32"),
      positions: input("positions", [n], "i32"),
      sequences: input("sequences", [n], "i32"),
    },
    attributes,
  );
  return {
    outputs: { y },
    inputs: {
      q: randomFloats(1, total * heads * headSize, size),
      slots: Int32Array.from(slots),
      keysRows: randomFloats(2, total * columns, size),
      valuesRows: randomFloats(3, total * columns),
      pages: Int32Array.from(order),
      positions: Int32Array.from(positions),
      sequences: Int32Array.from(sequences),
    },
    extents: { rows: total, sequences: lengths.length },
    tolerance: 2 ** -19, // scores of f32 sums go through exp
  };
}

export const trials: Record<string, Trial[]> = {
  silu: elementwise((a) => silu(a)),
  gelu: elementwise((a) => gelu(a)),
  geluTanh: elementwise((a) => geluTanh(a)),
  tanh: elementwise((a) => tanh(a)),
  add: elementwise(add),
  multiply: elementwise(multiply),
  scale: elementwise((a) => scale(a, -1.7)),
  "largest of blocks of 16": elementwise((a) => blockMax(a, 16)),
  "largest of blocks of 5": elementwise((a) => blockMax(a, 5)),
  "a gate computed on the way": elementwise((a, b) => multiply(silu(a), b)),
  "a gate on the right, and one of a gate": elementwise((a, b) => multiply(multiply(a, geluTanh(b)), tanh(silu(a)))),
  "a value read twice": elementwise((a, b) => add(multiply(silu(a), b), silu(a))),
  "elementwise functions far from zero": [matrix("a", 8)].map((a) => ({
    outputs: { silu: silu(a), gelu: gelu(a), geluTanh: geluTanh(a), tanh: tanh(a) },
    inputs: { a: Float32Array.of(-1e4, -90, -30, -10, 10, 30, 90, 1e4) },
    extents: { rows: 1 },
  })),
  rmsNorm: [
    [1, 1, 1],
    [1, 6, 3],
    [3, 64, 64],
    [5, 70, 35],
    [3, 98, 49],
    [1, 784, 784],
    [40, 256, 32],
  ].map(([n, columns, group]) => ({
    outputs: { y: rmsNorm(matrix("x", columns), weight(4, "f32", group), 1e-5) },
    inputs: { x: randomFloats(1, n * columns) },
    extents: { rows: n },
  })),
  "tables whose numbers are known": [
    {
      outputs: {
        y: gather(table("lines", [3, 5], randomFloats(1, 15)), table("places", [4], Int32Array.of(2, 0, 1, 2))),
      },
      inputs: {},
      extents: {},
      tolerance: 0,
    },
  ],
  layerNorm: [
    [1, 2],
    [3, 7],
    [5, 64],
    [1, 98],
    [40, 130],
  ].map(([n, columns]) => ({
    outputs: { y: layerNorm(matrix("x", columns), weight(4, "f32", columns), weight(5, "f32", columns), 1e-5) },
    inputs: { x: randomFloats(1, n * columns).map((x) => x + 3) },
    extents: { rows: n },
    tolerance: 2 ** -19, // the mean is taken away
  })),
  rope: (["halves", "interleaved"] as const).flatMap((layout) =>
    [
      [1, 1, 2, 1],
      [3, 2, 8, 4],
      [5, 3, 14, 3],
      [40, 2, 64, 32],
      [2, 2, 30, 5],
    ].map(([n, heads, headSize, half]) => ({
      outputs: {
        y: rope(matrix("x", heads * headSize), matrix("cos", half), matrix("sin", half), { headSize, layout }),
      },
      inputs: {
        x: randomFloats(1, n * heads * headSize),
        cos: randomFloats(2, n * half),
        sin: randomFloats(3, n * half),
      },
      extents: { rows: n },
    })),
  ),
  "gather of weights": (Object.keys(layouts) as FormatName[]).map((format) => {
    const columns = formats[format].blockSize === 256 ? 512 : 96;
    return {
      outputs: { y: gather(weight(6, format, 50, columns), input("ids", [rows()], "i32")) },
      inputs: { ids: Int32Array.of(0, 49, 17, 15, 16, 33, 33) },
      extents: { rows: 7 },
      tolerance: 0,
    };
  }),
  "gather of powers of two, from the least to the largest": [
    {
      outputs: { y: gather(powers("powers"), input("ids", [rows()], "i32")) },
      inputs: { ids: Int32Array.of(0, 1, 16, 127) },
      extents: { rows: 4 },
      tolerance: 0,
    },
  ],
  "gather of computed rows": [
    {
      outputs: { y: gather(scale(matrix("x", 13), 2), input("ids", [{ name: "outputRows", bound: 4 }], "i32")) },
      inputs: { x: randomFloats(1, 9 * 13), ids: Int32Array.of(8, 0, 3) },
      extents: { rows: 9, outputRows: 3 },
      tolerance: 0,
    },
  ],
  "gather of matrices": (
    [
      // inner size, columns, what each row chooses of three tables: alike, none, each its own
      [3, 5, [1]],
      [5, 16, [0, 0, 0, 0]],
      [64, 16, [2, 2, 2, 2, 2, 2]],
      [16, 130, [3, 0, 1, 1, 1, 1, 1, 1, 2]],
      [33, 257, [0, 1, 2, 3, 3, 3, 3, 3, 1, 1, 1, 1, 1]],
    ] as const
  ).flatMap(([inner, columns, choices]) =>
    [false, true].map((hasAddend) => ({
      outputs: {
        y: gatherMatmul(
          matrix("x", inner),
          input("tables", [3 * inner, columns], "f32"),
          input("choices", [rows()], "i32"),
          hasAddend ? matrix("addend", columns) : undefined,
        ),
      },
      inputs: {
        x: randomFloats(1, choices.length * inner),
        tables: randomFloats(2, 3 * inner * columns),
        choices: Int32Array.from(choices),
        ...(hasAddend && { addend: randomFloats(3, choices.length * columns) }),
      },
      extents: { rows: choices.length },
    })),
  ),
  "attention over f32 pages": [
    attentionTrial({ heads: 1, kvHeads: 1, headSize: 4, pageSize: 4, lengths: [1], type: "f32" }),
    attentionTrial({ heads: 6, kvHeads: 2, headSize: 10, pageSize: 4, lengths: [19, 3, 8], type: "f32" }),
    attentionTrial({ heads: 4, kvHeads: 4, headSize: 64, pageSize: 32, lengths: [70, 33], type: "f32" }),
    attentionTrial({ heads: 2, kvHeads: 1, headSize: 33, pageSize: 16, lengths: [40], type: "f32", window: 7 }),
    attentionTrial({ heads: 2, kvHeads: 1, headSize: 36, pageSize: 16, lengths: [40], type: "f32", window: 1 }),
    attentionTrial({
      heads: 2,
      kvHeads: 2,
      headSize: 16,
      pageSize: 8,
      lengths: [21],
      type: "f32",
      softCap: 5,
      size: 4,
    }),
  ],
  "attention over f16 pages": [
    attentionTrial({ heads: 6, kvHeads: 2, headSize: 10, pageSize: 4, lengths: [19, 3, 8], type: "f16" }),
    attentionTrial({ heads: 4, kvHeads: 1, headSize: 256, pageSize: 32, lengths: [70], type: "f16", window: 40 }),
    attentionTrial({
      heads: 2,
      kvHeads: 2,
      headSize: 16,
      pageSize: 8,
      lengths: [21],
      type: "f16",
      softCap: 5,
      size: 4,
    }),
  ],
  "attention whose scores are far apart": [
    attentionTrial({ heads: 2, kvHeads: 1, headSize: 16, pageSize: 8, lengths: [50], type: "f32", size: 8 }),
  ].map((trial) => ({ ...trial, tolerance: 2 ** -15 })),
};
