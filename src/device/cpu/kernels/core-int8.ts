// Products of activations rounded to int8 blocks and quantized weights, decode class: weights stream through once, each
// unpacked once for all rows of a tile; byte products are summed exactly in integers, scales are applied once per
// sub-block, in f32, of which scale times d is exact.
import type { Floats, Int, Ints, KernelBuilder, Machine, Variable } from "../../../lanes/index.ts";
import { groupBlockBytes } from "../packed-layouts.ts";
import { type Block, NIBBLE, QUAD, type QuantizedFormat, type QuantizedName, quantizedFormats } from "./blocks.ts";
import { ByteSum, SplatQuad, bytePlanes, keptTogether, planeOf, sumOfPlanes } from "./byte-sums.ts";
import type { Core } from "./core.ts";
import { FLOAT_BYTES, LINE_BYTES } from "./loops.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, Activation } from "./quantize.ts";

/** Columns of one turn of the inner loop: a block, or as many small ones. */
const TURN_COLUMNS = 128;
/** How far ahead of the loads memory is asked for; bench/decode.ts, from memory. */
const PREFETCH_BYTES = 6144;
/** Registers of a group that are taken together, whose activations are loaded once; bench/decode.ts, from cache. */
const TOGETHER = 2;
/** Each weight register is unpacked once for all rows, whose sums wait in memory where registers are few; the same bench. */
const TILES = [
  { rows: 4, registers: 1 },
  { rows: 8, registers: 1 },
];
/** How many of a machine's registers hold integer sums; the same bench. */
const SUM_REGISTERS = { 32: 16, 16: 4 } as const;

function core(name: QuantizedName): Core {
  const format = quantizedFormats[name];
  const blockBytes = groupBlockBytes(name);
  const xBytes = (format.columns / ACTIVATION_COLUMNS) * ACTIVATION_BYTES;
  const turnBlocks = Math.max(1, TURN_COLUMNS / format.columns);
  return {
    label: `${name}.int8`,
    format: name,
    rowBytes: (columns) => columns.mul(ACTIVATION_BYTES / ACTIVATION_COLUMNS),
    tiles: () => TILES,
    multiply(k, weight, first, rows, columns, registers) {
      const sums = rows.map(() => k.variables(registers, k.floats(0)));
      const together = Math.min(registers, TOGETHER);
      const runs = format.runs.flatMap((run) => splitRun(format, run, rows.length * together, k.machine));
      const before = first.mul(k.lanes);
      const at = k.variable(weight.add(before.mul(FLOAT_BYTES)));
      const turn = (from: Int, blocks: number): void => {
        const weights = at.value;
        const prefetch = prefetcher(weights, blocks * blockBytes, (blocks * format.columns) / QUAD);
        const xs = rows.map((row) => row.add(from));
        for (let b = 0; b < blocks; b++) {
          for (let n = 0; n < registers; n += together) {
            const opened = Array.from({ length: together }, (_, i) => {
              const more = (n + i) * k.lanes;
              return format.open(k, weights, before.add(more), b * blockBytes + more * FLOAT_BYTES);
            });
            const theirs = sums.map((row) => row.slice(n, n + together));
            for (const run of runs) addRun(k, format, run, opened, xs, b * xBytes, theirs, prefetch);
          }
        }
        at.value = weights.add(blocks * blockBytes);
      };
      const whole = columns.div(format.columns * turnBlocks).mul(turnBlocks * xBytes);
      k.range(0, whole, turnBlocks * xBytes, (from) => turn(from, turnBlocks));
      if (turnBlocks > 1) {
        k.range(whole, columns.div(format.columns).mul(xBytes), xBytes, (from) => turn(from, 1));
      }
      return sums.map((row) => row.map((sum) => sum.value));
    },
  };
}

/** Asks for the lines of the next `bytes`, a few with each of `times` calls, so that loads do not wait behind them. */
function prefetcher(at: Int, bytes: number, times: number): () => void {
  let [line, calls] = [0, 0];
  return () => {
    for (calls++; line * times < calls * bytes; line += LINE_BYTES) at.prefetch(PREFETCH_BYTES + line);
  };
}

/** A run in pieces whose integer sums fit the registers: `sums` for each sub-block. */
function splitRun(format: QuantizedFormat, run: readonly number[], sums: number, machine: Machine): number[][] {
  const subs = [...new Set(run.map((t) => subOf(format, t)))];
  const most = Math.max(
    1,
    Math.floor(SUM_REGISTERS[machine.registers] / sums / (bytePlanes(machine, format).kept > 1 ? 2 : 1)),
  );
  const pieces = Array.from({ length: Math.ceil(subs.length / most) }, (_, i) => subs.slice(i * most, (i + 1) * most));
  return pieces.map((piece) => run.filter((t) => piece.includes(subOf(format, t))));
}

/** The sub-block that a quad belongs to. */
const subOf = ({ subColumns }: QuantizedFormat, t: number): number => Math.floor((t * QUAD) / subColumns);

/** Integer sums of one sub-block, by row, register and plane: of bytes as they are, and of those that are 16 times too big. */
interface Products {
  readonly plain: ByteSum[][][];
  readonly shifted: ByteSum[][][];
}

/** Adds the products of one run of quads to the sums. `xs`: the rows' activations; the block's begin at `offset`. */
function addRun(
  k: KernelBuilder,
  format: QuantizedFormat,
  run: readonly number[],
  blocks: readonly Block[],
  xs: readonly Int[],
  offset: number,
  sums: readonly (readonly Variable<Floats>[])[],
  prefetch: () => void,
): void {
  const form = bytePlanes(k.machine, format);
  const products = new Map<number, Products>();
  for (const p of form.planes.keys()) {
    for (const quads of keptTogether(run, form)) {
      const weights = quads.map((t) => {
        prefetch();
        return blocks.map((block) => planeOf(form, p, block, t));
      });
      for (const [r, x] of xs.entries()) {
        for (const [i, t] of quads.entries()) {
          const sub = subOf(format, t);
          const known = products.get(sub) ?? { plain: [], shifted: [] };
          products.set(sub, known);
          const part = Math.floor((t * QUAD) / ACTIVATION_COLUMNS);
          const bytesAt = offset + part * ACTIVATION_BYTES + Activation.bytes + ((t * QUAD) % ACTIVATION_COLUMNS);
          const quad = new SplatQuad(k, x, bytesAt);
          for (const [n, weight] of weights[i].entries()) {
            const isShifted = blocks[n].shift(t) > 0;
            const chains = (((isShifted ? known.shifted : known.plain)[r] ??= [])[n] ??= []);
            const start = isShifted || p > 0 ? undefined : startOf(format, sub, x, offset);
            (chains[p] ??= new ByteSum(k, form, start)).add(quad, weight, isShifted ? 8 : form.bits);
          }
        }
      }
    }
  }
  for (const [sub, { plain, shifted }] of products) {
    const [part, half] = [Math.floor((sub * format.subColumns) / ACTIVATION_COLUMNS), sub & 1];
    const at = offset + part * ACTIVATION_BYTES;
    const totalAt =
      at + (format.subColumns === ACTIVATION_COLUMNS ? Activation.total : Activation.totalHalf + 4 * half);
    for (const [n, block] of blocks.entries()) {
      // where all bytes are 16 times too big the scale is a 16th, which is exact
      const d = plain.length === 0 ? block.d().mul(2 ** -NIBBLE) : block.d();
      const scale = block.scale === undefined ? d : d.mul(block.scale(sub).toFloats());
      const added = block.lower?.factor().neg().mul(block.lower.min(sub).toFloats()) ?? block.plus?.();
      for (const [r, x] of xs.entries()) {
        const sum = sums[r][n];
        const [low, high] = [plain, shifted].map((chains) => chains[r] && sumOfPlanes(chains[r][n]));
        const product = low === undefined || high === undefined ? (low ?? high) : low.add(high.shrSigned(NIBBLE));
        const real = product.toFloats().mul(x.splatFloats(at + Activation.d));
        const next = real.madd(scale, sum.value);
        sum.value = added === undefined ? next : added.madd(x.splatFloats(totalAt), next);
      }
    }
  }
}

/** What a sub-block's sum begins with, so that bytes count as `zero` less. */
function startOf({ zero, subColumns }: QuantizedFormat, sub: number, x: Int, offset: number): Ints | undefined {
  if (zero === 0) return undefined;
  const part = Math.floor((sub * subColumns) / ACTIVATION_COLUMNS);
  const sumAt = subColumns === ACTIVATION_COLUMNS ? Activation.minusSum : Activation.minusSumHalf + 4 * (sub & 1);
  return x.splatInts(offset + part * ACTIVATION_BYTES + sumAt).shl(Math.log2(zero));
}

export const int8Cores = Object.fromEntries(
  (Object.keys(quantizedFormats) as QuantizedName[]).map((name) => [name, core(name)]),
) as Record<QuantizedName, Core>;
