// Sums of products of signed activations and unsigned weight bytes, four columns at a time, in as few instructions as a
// machine has for them. Where a dot product of bytes is made of sums of pairs in 16-bit halves (Machine.dot "i7"), as many
// quads as fit are summed there first; weights of 8 bits, of which not even one pair fits, are two planes of nibbles.
// Exact, so every machine gives the same numbers.
import type { Int, Ints, KernelBuilder, Machine } from "../../../lanes/index.ts";
import { type Block, type QuantizedFormat, NIBBLE, QUAD } from "./blocks.ts";

/** Both halves of a lane. */
const ONES = 0x00010001;
const NIBBLES = 0x0f0f0f0f;
const NIBBLE_MOST = 15;
const HALF_MOST = 0x7fff;
const ACTIVATION_MOST = 127;
/** Quads that are kept where they are; bench/kernels.ts and bench/decode.ts, q6_k. */
const KEPT = 2;

/** What the bytes of weights are multiplied as. */
export interface BytePlanes {
  /** Of a quad of weights, the bytes that count 1, and where there are two planes those that count 16. */
  readonly planes: readonly ((weights: Ints) => Ints)[];
  /** Bits of a plane's bytes. */
  readonly bits: 7 | 8;
  /** How many quads' products fit 16-bit halves, pair by pair; 1: each quad is summed in 32 bits. */
  readonly run: number;
  /** Quads whose weights are kept while row after row meets them: some, where halves and whole sums fill the registers. */
  readonly kept: number;
}

export function bytePlanes(
  { dot }: Machine,
  { bits, most, subColumns }: Pick<QuantizedFormat, "bits" | "most" | "subColumns">,
): BytePlanes {
  const whole = (weights: Ints): Ints => weights;
  if (dot !== "i7") return { planes: [whole], bits, run: 1, kept: 1 };
  const quads = subColumns / QUAD;
  const runs = (most: number): { run: number; kept: number } => {
    const run = Math.min(quads, Math.floor(HALF_MOST / (2 * ACTIVATION_MOST * most)));
    return { run, kept: run < quads ? KEPT : 1 };
  };
  if (bits === 7) return { planes: [whole], bits, ...runs(most) };
  const nibbles = [(weights: Ints) => weights.and(NIBBLES), (weights: Ints) => weights.shr(NIBBLE).and(NIBBLES)];
  return { planes: nibbles, bits: 7, ...runs(NIBBLE_MOST) };
}

/** Plane `p` of quad `t` of a block. */
export const planeOf = ({ planes }: BytePlanes, p: number, block: Block, t: number): Ints =>
  planes.length > 1 && block.planes !== undefined ? block.planes[p](t) : planes[p](block.quad(t));

/** Four activations in every lane, taken apart once for all weights where there is no byte product. */
export class SplatQuad {
  readonly #bytes: Ints;
  readonly #halves: readonly [even: Ints, odd: Ints] | undefined;

  constructor(k: KernelBuilder, at: Int, offset: number) {
    this.#bytes = at.splatInts(offset);
    if (k.machine.dot !== "none") return;
    this.#halves = [this.#bytes.shlHalves(8).shrSignedHalves(8), this.#bytes.shrSignedHalves(8)];
  }

  /** sum + the four products. */
  dot(sum: Ints, weights: Ints, bits: 7 | 8): Ints {
    if (this.#halves === undefined) return sum.dotBytes(this.#bytes, weights, bits);
    const [even, odd] = this.#halves;
    return sum.add(even.dotHalves(weights.and(0x00ff00ff))).add(odd.dotHalves(weights.shrHalves(8)));
  }

  /** The products two by two, in halves. */
  pairs(weights: Ints): Ints {
    return this.#bytes.dotPairs(weights);
  }
}

/** A sum of products over quads. */
export class ByteSum {
  readonly #k: KernelBuilder;
  readonly #run: number;
  /** Quads that `#pairs` has. */
  #count = 0;
  #pairs: Ints | undefined;
  #sum: Ints | undefined;

  constructor(k: KernelBuilder, { run }: BytePlanes, start?: Ints) {
    this.#k = k;
    this.#run = run;
    this.#sum = start;
  }

  add(x: SplatQuad, weights: Ints, bits: 7 | 8): void {
    if (this.#run === 1) {
      this.#sum = x.dot(this.#sum ?? this.#k.ints(0), weights, bits);
      return;
    }
    const pairs = x.pairs(weights);
    this.#pairs = this.#pairs === undefined ? pairs : this.#pairs.addHalves(pairs);
    if (++this.#count === this.#run) this.#takePairs();
  }

  get value(): Ints {
    this.#takePairs();
    return this.#sum ?? this.#k.ints(0);
  }

  #takePairs(): void {
    if (this.#pairs === undefined) return;
    const sum = this.#pairs.dotHalves(this.#k.ints(ONES));
    this.#sum = this.#sum === undefined ? sum : this.#sum.add(sum);
    this.#pairs = undefined;
    this.#count = 0;
  }
}

/** What the planes' sums come to. */
export const sumOfPlanes = (planes: readonly ByteSum[]): Ints =>
  planes.map((sum, plane) => (plane === 0 ? sum.value : sum.value.shl(NIBBLE * plane))).reduce((a, b) => a.add(b));

/** Quads in pieces of which the weights are kept. */
export const keptTogether = (quads: readonly number[], { kept }: BytePlanes): number[][] =>
  Array.from({ length: Math.ceil(quads.length / kept) }, (_, i) => quads.slice(i * kept, (i + 1) * kept));
