// What attention kernels are made for, and what those for decoding and for prompts share: names, slices, addresses.
import type { Int, KernelBuilder } from "../../../lanes/index.ts";
import type { CacheShape } from "./key-blocks.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { ACTIVATION_BYTES, ACTIVATION_COLUMNS, quantizeBlock } from "./quantize.ts";

export interface AttentionShape extends CacheShape {
  /** Groups of query heads, and heads of one: G and H / G, or more and smaller ones, which read the same keys. */
  readonly groups: number;
  readonly headsPerGroup: number;
  readonly capped: boolean;
  readonly windowed: boolean;
  readonly hasBias: boolean;
  readonly hasSinks: boolean;
}

export function kernelName(kind: string, shape: AttentionShape): string {
  const { type, kvHeads, groups, headsPerGroup, headSize, pageSize, valuesAreKeys } = shape;
  const { capped, windowed, hasBias, hasSinks } = shape;
  const sizes = `g${kvHeads}.n${groups}.h${headsPerGroup}.d${headSize}.p${pageSize}`;
  const options = { ".one": valuesAreKeys, ".cap": capped, ".window": windowed, ".bias": hasBias, ".sinks": hasSinks };
  const endings = Object.entries(options).flatMap(([ending, has]) => (has ? [ending] : []));
  return `attention.${kind}.${type}.${sizes}${endings.join("")}`;
}

/** The shape with its groups cut into the fewest that `fits` takes; into single heads where it takes none. */
export function cutToFit<S extends AttentionShape>(shape: S, fits: (shape: S) => boolean): S {
  const { groups, headsPerGroup } = shape;
  for (let pieces = 1; ; pieces++) {
    if (headsPerGroup % pieces !== 0) continue;
    const cut = { ...shape, groups: groups * pieces, headsPerGroup: headsPerGroup / pieces };
    if (pieces === headsPerGroup || fits(cut)) return cut;
  }
}

/** Rounds a head of f32 at `from` to the int8 blocks at `to`; a head is whole blocks. */
export function roundHead(k: KernelBuilder, headSize: number, from: Int, to: Int): void {
  k.range(0, headSize / ACTIVATION_COLUMNS, 1, (block) => {
    quantizeBlock(k, from.add(block.mul(ACTIVATION_COLUMNS * FLOAT_BYTES)), to.add(block.mul(ACTIVATION_BYTES)));
  });
}

/** Bytes of a head as int8 blocks. */
export const roundedHeadBytes = (headSize: number): number => (headSize / ACTIVATION_COLUMNS) * ACTIVATION_BYTES;

/** Registers that sums may take: of 32, all but those of a few keys or values and a query. */
export const sumRegisters = (k: KernelBuilder): number => (k.machine.registers === 32 ? 24 : 12);

/** Turns of a loop over `count` that are unrolled: the most, up to `most`, that leave no rest. */
export const unrolled = (count: number, most: number): number => {
  let turns = most;
  while (count % turns !== 0) turns--;
  return turns;
};

/** Cuts 0..count into runs of at most `most`, as even as whole numbers allow. */
export function slices(count: number, most: number): { readonly first: number; readonly count: number }[] {
  const each = Math.ceil(count / Math.ceil(count / most));
  return Array.from({ length: Math.ceil(count / each) }, (_, i) => ({
    first: i * each,
    count: Math.min(each, count - i * each),
  }));
}

/** The i32 at index `i`. */
export const intAt = (base: Int, i: Int): Int => base.add(i.shl(2)).loadInt();
