// Tile instructions of the emulator: against the processor where it has tiles, and what is refused everywhere. bf16 sums
// are compared bit by bit over numbers that cancel, vanish, overflow or are none.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assemble } from "../../src/lanes/x64/assemble.ts";
import type { Instruction, Listing, Operand } from "../../src/lanes/x64/instruction.ts";
import { native } from "#platform";
import { emulate } from "./emulator/emulate.ts";
import { fillOperands, randomWords } from "./operand-data.ts";

const host = native();
const features: ReadonlySet<string> = "reason" in host ? new Set() : host.features;
const ROUNDS = 3;

const RDI = 7;
const R8 = 8;
const TILE_BYTES = 1024;
/** Sums, both factors, and the sums afterwards; the configuration stands before them. */
const CONFIGURATION_BYTES = 64;
const [SUMS, LEFT, RIGHT, OUT] = [0, 1, 2, 3].map((i) => CONFIGURATION_BYTES + i * TILE_BYTES);
const BYTES = OUT + TILE_BYTES;

const op = (name: string, bits: Instruction["bits"], ...operands: Operand[]): Instruction => ({ name, bits, operands });
const tile = (number: number): Operand => ({ kind: "tile", number });
const at = (displacement: number): Operand => ({ kind: "memory", base: RDI, displacement });
const rows = (displacement: number): Operand => ({ kind: "memory", base: RDI, index: R8, scale: 1, displacement });
const listingOf = (...instructions: Instruction[]): Listing => ({
  name: "tiles",
  instructions: [...instructions, op("ret", 0)],
  pool: new Uint8Array(0),
});
const start = [op("ldtilecfg", 0, at(0)), op("mov", 64, { kind: "gpr", number: R8 }, { kind: "immediate", value: 64 })];
const product = (name: string): Listing =>
  listingOf(
    ...start,
    op("tileloadd", 0, tile(5), rows(SUMS)),
    op("tileloadd", 0, tile(1), rows(LEFT)),
    op("tileloadd", 0, tile(7), rows(RIGHT)),
    op(name, 0, tile(5), tile(1), tile(7)),
    op("tilestored", 0, rows(OUT), tile(5)),
    op("tilerelease", 0),
  );
const zeroed = listingOf(
  ...start,
  op("tileloadd", 0, tile(1), rows(LEFT)),
  op("tilezero", 0, tile(1)),
  op("tilestored", 0, rows(OUT), tile(1)),
  op("tilerelease", 0),
);

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

const shapes: Shape[] = [
  { rows: 16, columns: 16, depth: 16 },
  { rows: 3, columns: 16, depth: 16 },
  { rows: 16, columns: 5, depth: 7 },
  { rows: 1, columns: 1, depth: 1 },
];

/** Memory of a call: configuration and tiles. */
function memoryOf({ rows, columns, depth }: Shape, fill: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  fill(bytes.subarray(SUMS, OUT));
  bytes[0] = 1;
  const setTile = (number: number, rows: number, lanes: number): void => {
    bytes[16 + 2 * number] = 4 * lanes;
    bytes[48 + number] = rows;
  };
  setTile(5, rows, columns);
  setTile(1, rows, depth);
  setTile(7, depth, columns);
  return bytes;
}

/** Floats of like size: sums round, and nothing hides behind a NaN. */
function fillFloats(bytes: Uint8Array, seed: number): void {
  const random = randomWords(seed);
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  for (let i = 0; i < floats.length; i++) floats[i] = (random() / 2 ** 32 - 0.5) * 2 ** (random() % 12);
}

/** Pairs of bf16 that are subnormal or nearly so, and their sums. */
function fillTiny(bytes: Uint8Array, seed: number): void {
  const random = randomWords(seed);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  for (let i = 0; i < words.length; i++) words[i] = (random() & 0x8fff8fff) | ((random() & 0x3000) * 0x10001);
}

const fills: Readonly<Record<string, (bytes: Uint8Array, seed: number) => void>> = {
  "special numbers": fillOperands,
  "like numbers": fillFloats,
  "tiny numbers": fillTiny,
};

function agrees(listing: Listing): void {
  if ("reason" in host) throw new Error(host.reason);
  assert.ok(host.requestTiles());
  using code = host.makeExecutable(assemble(listing));
  const call = host.callable(code.address);
  for (const shape of shapes) {
    for (const [what, fill] of Object.entries(fills)) {
      for (let round = 0; round < ROUNDS; round++) {
        const before = memoryOf(shape, (bytes) => fill(bytes, 77 * round + shape.rows));
        const real = new Uint8Array(new SharedArrayBuffer(BYTES));
        real.set(before);
        call(host.addressOf(real.buffer), 0, 1, 0);
        emulate(listing, before.buffer, { record: 0, part: 0, parts: 1, scratch: 0 });
        const name = `${JSON.stringify(shape)}, ${what}, round ${round}`;
        const words = (bytes: Uint8Array) => [...new Uint32Array(bytes.buffer, OUT, TILE_BYTES / 4)];
        assert.deepEqual(words(before), words(real), name);
      }
    }
  }
}

describe("the emulator's tiles agree with the processor's", () => {
  const names = {
    tdpbf16ps: "amx_bf16",
    tdpbssd: "amx_int8",
    tdpbsud: "amx_int8",
    tdpbusd: "amx_int8",
    tdpbuud: "amx_int8",
  };
  const missing = (feature: string): string | false =>
    features.has("amx_tile") && features.has(feature) ? false : `the processor lacks ${feature}`;
  for (const [name, feature] of Object.entries(names)) {
    test(name, { skip: missing(feature) }, () => agrees(product(name)));
  }
  test("tilezero", { skip: missing("amx_tile") }, () => agrees(zeroed));
});

describe("the emulator refuses what ends a process", () => {
  const run = (listing: Listing, change: (bytes: Uint8Array) => void = () => undefined): void => {
    const memory = memoryOf(shapes[0], (bytes) => fillFloats(bytes, 1));
    change(memory);
    emulate(listing, memory.buffer, { record: 0, part: 0, parts: 1, scratch: 0 });
  };
  const faults: readonly [what: string, run: () => void, message: RegExp][] = [
    [
      "a tile before there is a configuration",
      () => run(listingOf(op("tilezero", 0, tile(1)))),
      /tmm1 is used without/,
    ],
    ["another palette", () => run(zeroed, (bytes) => (bytes[0] = 3)), /there is no tile palette 3/],
    ["seventeen rows", () => run(zeroed, (bytes) => (bytes[49] = 17)), /cannot have 17 rows of 64 bytes/],
    ["reserved bytes", () => run(zeroed, (bytes) => (bytes[40] = 1)), /are not zero/],
    ["shapes that do not fit", () => run(product("tdpbssd"), (bytes) => (bytes[49] = 3)), /shapes of its tiles/],
    [
      "memory that is not there",
      () => run(listingOf(op("vmovups", 512, { kind: "vector", number: 1 }, at(BYTES - 60)))),
      /64 bytes at \d+ are outside of memory/,
    ],
    [
      "a kept register that is lost",
      () => run(listingOf(op("mov", 64, { kind: "gpr", number: 3 }, at(0)))),
      /does not give registers back/,
    ],
    [
      "a flag that is undefined",
      () =>
        run(listingOf(op("imul", 64, { kind: "gpr", number: R8 }, { kind: "gpr", number: R8 }), op("sete", 8, at(0)))),
      /zero flag is read, which is undefined/,
    ],
    [
      "division by zero",
      () =>
        run(
          listingOf(
            op("xor", 32, { kind: "gpr", number: R8 }, { kind: "gpr", number: R8 }),
            op("div", 64, { kind: "gpr", number: R8 }),
          ),
        ),
      /division by zero/,
    ],
  ];
  for (const [what, run, message] of faults) test(what, () => assert.throws(run, message));
});
