// Mutations of untrusted bytes: what a broken download, a bad writer or an attacker would do to a header. A pure
// function of (seed, mutant number), so that a failing mutant can be made again.
import { philox } from "../../src/base/random.ts";

/** Draws of one mutant: `below(n)` is uniform in 0..n-1. */
export interface Draws {
  readonly below: (count: number) => number;
}

export function drawsOf(seed: number, mutant: number): Draws {
  let position = 0;
  return {
    below: (count) => philox(seed, mutant, position++)[0] % count,
  };
}

// counts and offsets at which checks go wrong: signs, overflows of 32, 53 and 64 bits, small off-by-ones
const numbers = [
  0n,
  1n,
  2n,
  31n,
  33n,
  255n,
  256n,
  65535n,
  65536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 61n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 32n,
  2n ** 64n - 1n,
];

type Mutation = (bytes: Uint8Array, draws: Draws, other: Uint8Array) => Uint8Array;

const flipBits: Mutation = (bytes, { below }) => {
  for (let i = below(8); i >= 0; i--) bytes[below(bytes.length)] ^= 1 << below(8);
  return bytes;
};

const setBytes: Mutation = (bytes, { below }) => {
  const values = [0, 1, 9, 0x7f, 0x80, 0xff, 0x22, 0x5b, 0x7b, 0x39];
  for (let i = below(4); i >= 0; i--) bytes[below(bytes.length)] = values[below(values.length)];
  return bytes;
};

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

/** Changes digits in text, so that JSON stays JSON with other numbers. */
const setDigits: Mutation = (bytes, { below }) => {
  const places = [...bytes.keys()].filter((at) => isDigit(bytes[at]));
  if (places.length === 0) return bytes;
  for (let i = below(3); i >= 0; i--) bytes[places[below(places.length)]] = 0x30 + below(10);
  return bytes;
};

const truncate: Mutation = (bytes, { below }) => bytes.subarray(0, below(bytes.length + 1));

const writeNumber =
  (width: 4 | 8): Mutation =>
  (bytes, { below }) => {
    if (bytes.length < width) return bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = below(bytes.length - width + 1);
    const near = BigInt(bytes.length + below(64) - 32); // around the size of the file itself
    const value = below(4) === 0 ? near : numbers[below(numbers.length)];
    if (width === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
    else view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    return bytes;
  };

const remove: Mutation = (bytes, { below }) => {
  const at = below(bytes.length);
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + below(16)));
};

const duplicate: Mutation = (bytes, { below }) => {
  const from = below(bytes.length);
  const piece = bytes.subarray(from, from + 1 + below(64));
  const at = below(bytes.length);
  return joined(bytes.subarray(0, at), piece, bytes.subarray(at));
};

const splice: Mutation = (bytes, { below }, other) =>
  joined(bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length)));

const nest: Mutation = (bytes, { below }) => {
  const at = below(bytes.length);
  const opening = [0x5b, 0x7b, 0x0a, 0x09][below(4)];
  return joined(bytes.subarray(0, at), new Uint8Array(1 + below(4000)).fill(opening), bytes.subarray(at));
};

const mutations = [
  flipBits,
  flipBits,
  setBytes,
  setDigits,
  truncate,
  writeNumber(4),
  writeNumber(4),
  writeNumber(8),
  writeNumber(8),
  remove,
  duplicate,
  splice,
  nest,
];

/** A changed copy of `seedBytes`; `other` is what it may be spliced with. */
export function mutate(seedBytes: Uint8Array, other: Uint8Array, draws: Draws): Uint8Array<ArrayBuffer> {
  let bytes = seedBytes.slice();
  for (let i = draws.below(3); i >= 0 && bytes.length > 0; i--) {
    bytes = mutations[draws.below(mutations.length)](bytes, draws, other).slice();
  }
  return bytes;
}

function joined(...pieces: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
