// Tile instructions (AMX). Sums of bf16 products follow the manual (SDM volume 2, TDPBF16PS): the even and the odd
// products of pairs are summed in chains of their own over k, each multiply-add rounded once with subnormals taken as
// zero, before and after; then both chains together are added to the sums.
import { fusedMadd } from "../../../src/lanes/interpret-operations.ts";
import type { Operand } from "../../../src/lanes/x64/instruction.ts";
import { notANumber } from "./floats.ts";
import { type Decoded, type Step, addressOf } from "./operands.ts";
import { Fault, RESULT_SLOT, type State, TILE_ROWS, TILE_ROW_BYTES, type TileShape, VECTOR_BYTES } from "./state.ts";

const TILES = 8;
const CONFIGURATION_BYTES = 64;
const LEAST_NORMAL = 2 ** -126;
const { fround } = Math;

const tileNumber = (operand: Operand): number => (operand.kind === "tile" ? operand.number : -1);

function shapeOf(state: State, tile: number): TileShape {
  const shape = state.tileShapes?.[tile];
  if (shape === undefined || shape.rows === 0) throw new Fault(`tmm${tile} is used without a configuration`);
  return shape;
}

/** Palette, rows and bytes of a row of each tile; all else is zero (SDM volume 2, LDTILECFG). */
function configure({ state, instruction }: Decoded): Step {
  const [memory] = instruction.operands;
  if (memory.kind !== "memory") throw new Error("ldtilecfg: an address");
  const address = addressOf(state, memory);
  return () => {
    state.read(address(), CONFIGURATION_BYTES, RESULT_SLOT, memory.base === "pool");
    const bytes = state.u8.slice(RESULT_SLOT * VECTOR_BYTES, (RESULT_SLOT + 1) * VECTOR_BYTES);
    const view = new DataView(bytes.buffer);
    for (const tile of state.tiles) tile.fill(0);
    if (bytes[0] === 0) {
      state.tileShapes = undefined;
      return;
    }
    if (bytes[0] !== 1) throw new Fault(`there is no tile palette ${bytes[0]}`);
    const rest = [...bytes.subarray(2, 16), ...bytes.subarray(32, 48), ...bytes.subarray(56)];
    if (rest.some((byte) => byte !== 0)) throw new Fault("reserved bytes of a tile configuration are not zero");
    state.tileShapes = Array.from({ length: TILES }, (_, tile) => {
      const shape = { rows: bytes[48 + tile], rowBytes: view.getUint16(16 + 2 * tile, true) };
      const isEmpty = shape.rows === 0 || shape.rowBytes === 0;
      if (shape.rows > TILE_ROWS || shape.rowBytes > TILE_ROW_BYTES || (isEmpty && shape.rows !== shape.rowBytes)) {
        throw new Fault(`tmm${tile} cannot have ${shape.rows} rows of ${shape.rowBytes} bytes`);
      }
      return shape;
    });
  };
}

/** Rows that lie as far apart as the index register says. */
function eachRow(
  { state, instruction }: Decoded,
  body: (address: number, row: number, shape: TileShape) => void,
): Step {
  const [memory] = instruction.operands.filter(({ kind }) => kind === "memory");
  const tile = tileNumber(instruction.operands.find(({ kind }) => kind === "tile")!);
  if (memory?.kind !== "memory" || memory.base === "pool" || memory.index === undefined) {
    throw new Error(`${instruction.name}: an address and the distance of rows`);
  }
  const { base, index, scale = 1, displacement } = memory;
  return () => {
    const shape = shapeOf(state, tile);
    const start = state.address(base) + displacement;
    for (let row = 0; row < shape.rows; row++) body(start + row * state.address(index) * scale, row, shape);
  };
}

function load(decoded: Decoded): Step {
  const tile = decoded.state.tiles[tileNumber(decoded.instruction.operands[0])];
  const rows = eachRow(decoded, (address, row, { rowBytes }) => {
    const at = row * TILE_ROW_BYTES;
    decoded.state.readRow(address, tile.subarray(at, at + rowBytes));
  });
  return () => {
    tile.fill(0);
    return rows();
  };
}

function save(decoded: Decoded): Step {
  const tile = decoded.state.tiles[tileNumber(decoded.instruction.operands[1])];
  return eachRow(decoded, (address, row, { rowBytes }) => {
    const at = row * TILE_ROW_BYTES;
    decoded.state.writeRow(address, tile.subarray(at, at + rowBytes));
  });
}

const flush = (x: number): number => (Math.abs(x) < LEAST_NORMAL ? x * 0 : x);
const words = new Int32Array(1);
const asFloat = new Float32Array(words.buffer);
const valueOf = (bits: number): number => ((words[0] = bits), flush(asFloat[0]));
const bitsOf = (x: number): number => ((asFloat[0] = x), words[0]);

/** Bits of x * y + z, rounded once, subnormals zero. */
function madd(x: number, y: number, z: number): number {
  const result = fusedMadd(valueOf(x), valueOf(y), valueOf(z));
  return Number.isNaN(result) ? notANumber(x, y, z) : bitsOf(flush(result));
}

function sum(x: number, y: number): number {
  const result = fround(valueOf(x) + valueOf(y));
  return Number.isNaN(result) ? notANumber(x, y) : bitsOf(flush(result));
}

/** One 32-bit lane of the result: sums + products of `depth` words from `a` on, and every 16th from `b` on. */
type Dot = (sums: number, left: Int32Array, a: number, right: Int32Array, b: number, depth: number) => number;

const ROW_WORDS = TILE_ROW_BYTES / 4;

const dotBf16: Dot = (sums, left, a, right, b, depth) => {
  let [even, odd] = [0, 0];
  for (let k = 0; k < depth; k++) {
    const [x, y] = [left[a + k], right[b + k * ROW_WORDS]];
    even = madd(x << 16, y << 16, even);
    odd = madd(x & 0xffff0000, y & 0xffff0000, odd);
  }
  return sum(sums, sum(even, odd));
};

const unsignedByte = (x: number, i: number): number => (x >>> (8 * i)) & 255;
const signedByte = (x: number, i: number): number => (x << (24 - 8 * i)) >> 24;
const dotBytes =
  (first: typeof signedByte, second: typeof signedByte): Dot =>
  (sums, left, a, right, b, depth) => {
    for (let k = 0; k < depth; k++) {
      const [x, y] = [left[a + k], right[b + k * ROW_WORDS]];
      for (let i = 0; i < 4; i++) sums = (sums + first(x, i) * second(y, i)) | 0;
    }
    return sums;
  };

/** sums += a · b, where b's rows are k, four bytes of it at a time. */
function multiply(dot: Dot): (decoded: Decoded) => Step {
  return ({ state, instruction }) => {
    const [c, a, b] = instruction.operands.map(tileNumber);
    const [sums, left, right] = [c, a, b].map((tile) => new Int32Array(state.tiles[tile].buffer));
    return () => {
      const [shapeC, shapeA, shapeB] = [c, a, b].map((tile) => shapeOf(state, tile));
      if (shapeC.rows !== shapeA.rows || shapeC.rowBytes !== shapeB.rowBytes || shapeA.rowBytes / 4 !== shapeB.rows) {
        throw new Fault(`${instruction.name}: the shapes of its tiles do not fit`);
      }
      const result = new Int32Array(sums.length);
      for (let m = 0; m < shapeC.rows; m++) {
        for (let n = 0; n < shapeC.rowBytes / 4; n++) {
          const at = m * ROW_WORDS + n;
          result[at] = dot(sums[at], left, m * ROW_WORDS, right, n, shapeB.rows);
        }
      }
      sums.set(result);
    };
  };
}

export const tiles: Readonly<Record<string, (decoded: Decoded) => Step>> = {
  ldtilecfg: configure,
  tilerelease:
    ({ state }) =>
    () =>
      void (state.tileShapes = undefined),
  tilezero: ({ state, instruction }) => {
    const tile = tileNumber(instruction.operands[0]);
    return () => {
      shapeOf(state, tile);
      state.tiles[tile].fill(0);
    };
  },
  tileloadd: load,
  tileloaddt1: load,
  tilestored: save,
  tdpbf16ps: multiply(dotBf16),
  tdpbssd: multiply(dotBytes(signedByte, signedByte)),
  tdpbsud: multiply(dotBytes(signedByte, unsignedByte)),
  tdpbusd: multiply(dotBytes(unsignedByte, signedByte)),
  tdpbuud: multiply(dotBytes(unsignedByte, unsignedByte)),
};
