// Kernels that do nothing but what a ceiling is named after: read a block, multiply and add f32, dot bytes, dot bf16 in
// tiles. Each keeps as many sums as registers allow, so that no operation waits for the one before.
import { type Kernel, type Machine, defineKernel } from "../lanes/index.ts";
import type { Ints } from "../lanes/index.ts";

/** A power of two that divides the block. */
const READ_BYTES = 512;

/** Sums `bytes` bytes at `data`, READ_BYTES at a time; `bytes` is a multiple of it. */
export const readKernel = defineKernel("read", ["data", "bytes", "sums"], (k, { data, bytes, sums }) => {
  const registers = Math.min(8, READ_BYTES / (4 * k.lanes));
  const totals = k.variables(registers, k.ints(0));
  const step = registers * 4 * k.lanes;
  k.share(bytes.div(READ_BYTES), (first, end) => {
    k.range(first.mul(READ_BYTES), end.mul(READ_BYTES), step, (i) => {
      const at = data.add(i);
      for (const [n, total] of totals.entries()) total.value = total.value.add(at.loadInts(n * 4 * k.lanes));
    });
  });
  // stored, so that no compiler may leave the reads out
  const sum = totals.reduce<Ints>((sum, total) => sum.add(total.value), k.ints(0));
  sums.add(k.part.mul(4 * k.lanes)).store(sum);
});

/** What one turn of a kernel's loop counts: multiplications and additions. */
export interface PeakKernel {
  readonly kernel: Kernel<"data" | "turns">;
  readonly operationsPerTurn: (machine: Machine) => number;
}

/** Registers that hold sums: the others hold factors. */
const sumsOf = (registers: number): number => (registers === 32 ? 24 : 12);

export const floatPeak: PeakKernel = {
  kernel: defineKernel("floatPeak", ["data", "turns"], (k, { data, turns }) => {
    const sums = k.variables(sumsOf(k.machine.registers), k.floats(0));
    const [a, b] = [data.loadFloats(0), data.loadFloats(64)];
    k.range(0, turns, 1, () => {
      for (const sum of sums) sum.value = a.madd(b, sum.value);
    });
    const total = sums.reduce((total, sum) => total.add(sum.value), k.floats(0));
    k.scratch.store(total);
  }),
  operationsPerTurn: ({ lanes, registers }) => 2 * lanes * sumsOf(registers),
};

/** Where a product of bytes is several instructions, these need registers too. */
const byteSumsOf = (registers: number, dot: Machine["dot"]): number => sumsOf(registers) / (dot === "none" ? 2 : 1);

/** Where factors begin in turn, so that no two turns in a row have the same. */
const FACTOR_PLACES = 8;

export const bytePeak: PeakKernel = {
  kernel: defineKernel("bytePeak", ["data", "turns"], (k, { data, turns }) => {
    const { dot, lanes, registers } = k.machine;
    const sums = k.variables(byteSumsOf(registers, dot), k.ints(0));
    const unsigned = data.loadInts(0).and(0x7f7f7f7f);
    const first = data.loadInts(64);
    k.range(0, turns, 1, (turn) => {
      const factors = data.add(turn.and(FACTOR_PLACES - 1).mul(4 * lanes));
      for (const [n, sum] of sums.entries()) {
        // one instruction multiplies and adds; where they are several, the same product would be made once for all sums
        const signed = dot === "u8" ? first : factors.loadInts(n * 4 * lanes);
        // where dot products of bytes are made of 16-bit halves, prompts sum halves
        if (dot === "i7") sum.value = sum.value.addHalves(signed.dotPairs(unsigned));
        else sum.value = sum.value.dotBytes(signed, unsigned, 7);
      }
    });
    const total = sums.reduce((total, sum) => total.add(sum.value), k.ints(0));
    k.scratch.store(total);
  }),
  // four multiplications and four additions a lane
  operationsPerTurn: ({ lanes, registers, dot }) => 8 * lanes * byteSumsOf(registers, dot),
};

const TILE_ROW_BYTES = 64;
const TILE_BYTES = 16 * TILE_ROW_BYTES;
/** Four sums of two tiles by two. */
const TILE_DOTS = 4;

export const tilePeak: PeakKernel = {
  kernel: defineKernel("tilePeak", ["data", "turns"], (k, { data, turns }) => {
    for (let tile = 0; tile < TILE_DOTS; tile++) k.tiles.zero(tile);
    for (let i = 0; i < 4; i++) k.tiles.load(TILE_DOTS + i, data.add(i * TILE_BYTES), TILE_ROW_BYTES);
    k.range(0, turns, 1, () => {
      for (let dot = 0; dot < TILE_DOTS; dot++) k.tiles.dotBf16(dot, 4 + (dot >> 1), 6 + (dot & 1));
    });
    for (let tile = 0; tile < TILE_DOTS; tile++) k.tiles.store(tile, k.scratch.add(tile * TILE_BYTES), TILE_ROW_BYTES);
  }),
  operationsPerTurn: () => 2 * 16 * 16 * 32 * TILE_DOTS,
};

/** Bytes of factors that peak kernels read. */
export const PEAK_DATA_BYTES = 4 * TILE_BYTES;
