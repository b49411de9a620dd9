// Evaluates a kernel statement by statement, lane by lane, over plain memory: the oracle that emitted code is tested
// against, bit for bit. Slow on purpose. f32 arithmetic is f64 arithmetic rounded once, which for + - * / and sqrt is
// the same as f32 arithmetic (Figueroa 1995, "When is double rounding innocuous?").
import { f16Bits, f16Value } from "../numeric/f16.ts";
import { type Machine, type OperationName, type Statement, TABLE_BYTES, type TracedKernel, operations } from "./ir.ts";

const TILE_ROWS = 16;
/** 32-bit words of a tile's row. */
const TILE_WORDS = 16;

type Lanes = Int32Array | Float32Array;
type Cell = number | Lanes;
/** One operation of a kernel. */
type Operation = (a: Cell, b: Cell, c: Cell) => Cell;

/** Runs a traced kernel for one part. `record` is the argument record's address, `scratch` the thread's own bytes. */
export function interpret(
  kernel: TracedKernel,
  machine: Machine,
  memory: ArrayBufferLike,
  call: { record: number; part: number; parts: number; scratch?: number },
): void {
  const cells: Cell[] = [];
  const operationOf = evaluator(machine, kernel.tables, new DataView(memory), call);
  /** Statements as functions, made once: loops run them often. */
  const prepare = (statements: readonly Statement[]): (() => void) => {
    const steps = statements.map(prepareOne);
    return () => {
      for (const step of steps) step();
    };
  };
  const prepareOne = (statement: Statement): (() => void) => {
    switch (statement.kind) {
      case "do": {
        const { operands, result } = statement;
        const [a = 0, b = 0, c = 0] = operands; // of those that are not there nobody asks
        const operation = operationOf(statement.op, statement.immediate);
        return () => {
          const value = operation(cells[a], cells[b], cells[c]);
          if (result >= 0) cells[result] = value;
        };
      }
      case "get":
        return () => void (cells[statement.result] = cells[statement.variable]);
      case "set":
        return () => void (cells[statement.variable] = cells[statement.value]);
      case "loop": {
        const body = prepare(statement.body);
        return () => {
          const [to, step] = [cells[statement.to] as number, cells[statement.step] as number];
          for (let i = cells[statement.from] as number; i < to; i = (i + step) | 0) {
            cells[statement.counter] = i;
            body();
          }
        };
      }
      case "if": {
        const [body, otherwise] = [prepare(statement.body), prepare(statement.otherwise)];
        return () => (cells[statement.condition] === 0 ? otherwise() : body());
      }
      default:
        return statement satisfies never;
    }
  };
  prepare(kernel.body)();
}

const { fround, imul } = Math;
const words = new Int32Array(1);
const asFloat = new Float32Array(words.buffer);
const bitsOf = (x: number): number => ((asFloat[0] = x), words[0]);
const floatOf = (x: number): number => ((words[0] = x), asFloat[0]);
const truncate = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x)));
const nearest = (x: number): number => {
  if (!(Math.abs(x) < 2 ** 23)) return x;
  const rounded = x > 0 ? x + 2 ** 52 - 2 ** 52 : x - 2 ** 52 + 2 ** 52; // f64 rounds ties to even there
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
};
const low = (x: number): number => (x << 16) >> 16;
const high = (x: number): number => x >> 16;
const halves = (x: number, f: (half: number) => number): number => (f(low(x)) & 0xffff) | (f(high(x)) << 16);
const signedByte = (x: number, i: number): number => (x << (24 - 8 * i)) >> 24;
const byte = (x: number, i: number): number => (x >>> (8 * i)) & 255;

const double = new Float64Array(1);
/** Its low and high halves: this runs on little-endian hosts only, as all of Liang. */
const doubleWords = new Uint32Array(double.buffer);

/** a * b + c rounded once to f32: the product is exact in f64, its sum with c is rounded to odd, then to f32. */
export function fusedMadd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum)) return fround(sum);
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error === 0) return fround(sum);
  double[0] = sum;
  const [low] = doubleWords;
  if ((low & 1) === 1) return fround(sum);
  // The exact sum lies between `sum` and its neighbour on the error's side: take the odd one of the two.
  if (error > 0 === sum > 0) doubleWords[0] = low + 1;
  else {
    doubleWords[0] = low - 1; // wraps
    if (low === 0) doubleWords[1] -= 1;
  }
  return fround(double[0]);
}

/** The bits of a number rounded to bf16, to nearest even; what is subnormal counts as zero (as VCVTNE2PS2BF16). */
function bf16Bits(x: number): number {
  const bits = bitsOf(x);
  if (Number.isNaN(x)) return (bits >>> 16) | 0x40;
  if ((bits & 0x7f800000) === 0) return (bits >>> 16) & 0x8000;
  return ((bits >>> 16) + Number((bits & 0xffff) + ((bits >>> 16) & 1) > 0x8000)) & 0xffff;
}

const bf16Value = (bits: number): number => {
  const value = floatOf(bits << 16);
  return (bits & 0x7f80) === 0 ? value * 0 : value;
};

/**
 * TDPBF16PS (Intel SDM): the even and the odd products of a pair are summed in chains of their own over k, each product
 * and sum rounded once, then both chains are added to the sums. Subnormal results count as zero.
 */
function dotTiles(sums: Int32Array, a: Int32Array, b: Int32Array): void {
  for (let row = 0; row < TILE_ROWS; row++) {
    for (let column = 0; column < TILE_WORDS; column++) {
      let [even, odd] = [0, 0];
      for (let k = 0; k < TILE_WORDS; k++) {
        const [x, y] = [a[row * TILE_WORDS + k], b[k * TILE_WORDS + column]];
        even = flush(fusedMadd(bf16Value(x & 0xffff), bf16Value(y & 0xffff), even));
        odd = flush(fusedMadd(bf16Value(x >>> 16), bf16Value(y >>> 16), odd));
      }
      const at = row * TILE_WORDS + column;
      sums[at] = bitsOf(flush(fround(flush(floatOf(sums[at])) + flush(fround(even + odd)))));
    }
  }
}

const LEAST_NORMAL = 2 ** -126;
const flush = (x: number): number => (Math.abs(x) < LEAST_NORMAL ? x * 0 : x);

/** A byte of which dotPairs promises that it has 7 bits. */
function sevenBits(x: number, i: number): number {
  if (byte(x, i) > 127) throw new RangeError(`dotPairs: ${byte(x, i)} needs 8 bits`);
  return byte(x, i);
}

/** A byte of which lookups promise that it is the number of a table's. */
function fourBits(x: number, i: number): number {
  if (byte(x, i) >= TABLE_BYTES) throw new RangeError(`lookup: ${byte(x, i)} is no byte of a table`);
  return byte(x, i);
}

/** A word of four bytes, the low one first. */
const joinBytes = (at: (i: number) => number): number => at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24);

/** Operations that work on each number (or lane) alone, shared by scalars and registers. */
const elementwise: Partial<Record<OperationName, (a: number, b: number, c: number) => number>> = {
  "int.add": (a, b) => (a + b) | 0,
  "int.sub": (a, b) => (a - b) | 0,
  "int.mul": imul,
  "int.divU": (a, b) => ((a >>> 0) / (b >>> 0)) | 0,
  "int.remU": (a, b) => ((a >>> 0) % (b >>> 0)) | 0,
  "int.and": (a, b) => a & b,
  "int.or": (a, b) => a | b,
  "int.xor": (a, b) => a ^ b,
  "int.shl": (a, b) => a << b,
  "int.shrU": (a, b) => (a >>> b) | 0,
  "int.eq": (a, b) => Number(a === b),
  "int.ltS": (a, b) => Number(a < b),
  "int.select": (a, b, c) => (a === 0 ? c : b),
  "int.bits": bitsOf,
  "int.fromFloat": truncate,
  "float.add": (a, b) => fround(a + b),
  "float.sub": (a, b) => fround(a - b),
  "float.mul": (a, b) => fround(a * b),
  "float.div": (a, b) => fround(a / b),
  "float.sqrt": (a) => fround(Math.sqrt(a)),
  "float.lt": (a, b) => Number(a < b),
  "float.select": (a, b, c) => (a === 0 ? c : b),
  "float.fromInt": (a) => fround(a),
  "float.bits": floatOf,
  "ints.add": (a, b) => (a + b) | 0,
  "ints.sub": (a, b) => (a - b) | 0,
  "ints.mul": imul,
  "ints.and": (a, b) => a & b,
  "ints.or": (a, b) => a | b,
  "ints.xor": (a, b) => a ^ b,
  "ints.eq": (a, b) => -Number(a === b),
  "ints.gtS": (a, b) => -Number(a > b),
  "ints.select": (a, b, c) => (a & b) | (~a & c),
  "ints.addHalves": (a, b) => ((a + b) & 0xffff) | ((high(a) + high(b)) << 16),
  "ints.dotPairs": (a, b) => {
    const pair = (i: number): number => signedByte(a, i) * sevenBits(b, i) + signedByte(a, i + 1) * sevenBits(b, i + 1);
    return (pair(0) & 0xffff) | (pair(2) << 16);
  },
  "ints.dotHalves": (a, b) => (low(a) * low(b) + high(a) * high(b)) | 0,
  "ints.bits": bitsOf,
  "ints.fromFloats": truncate,
  "floats.add": (a, b) => fround(a + b),
  "floats.sub": (a, b) => fround(a - b),
  "floats.mul": (a, b) => fround(a * b),
  "floats.div": (a, b) => fround(a / b),
  "floats.min": (a, b) => (b < a ? b : a),
  "floats.max": (a, b) => (a < b ? b : a),
  "floats.sqrt": (a) => fround(Math.sqrt(a)),
  "floats.abs": Math.abs,
  "floats.neg": (a) => -a,
  "floats.nearest": nearest,
  "floats.lt": (a, b) => -Number(a < b),
  "floats.select": (mask, b, c) => floatOf((mask & bitsOf(b)) | (~mask & bitsOf(c))),
  "floats.fromInts": (a) => fround(a),
  "floats.bits": floatOf,
  "ints.pairBf16": (a, b) => bf16Bits(a) | (bf16Bits(b) << 16),
};

/** The same with an immediate. */
const withImmediate: Partial<Record<OperationName, (a: number, immediate: number) => number>> = {
  "ints.shl": (a, bits) => a << bits,
  "ints.shrU": (a, bits) => (a >>> bits) | 0,
  "ints.shrS": (a, bits) => a >> bits,
  "ints.shlHalves": (a, bits) => halves(a, (half) => half << bits),
  "ints.shrSHalves": (a, bits) => halves(a, (half) => half >> bits),
  "ints.shrUHalves": (a, bits) => halves(a, (half) => (half & 0xffff) >>> bits),
};

function evaluator(
  machine: Machine,
  tables: TracedKernel["tables"],
  view: DataView,
  call: { record: number; part: number; parts: number; scratch?: number },
): (op: OperationName, immediate: number) => Operation {
  const W = machine.lanes;
  const tiles = Array.from({ length: 8 }, () => new Int32Array(TILE_ROWS * TILE_WORDS));
  const eachTileWord = (at: Cell, stride: Cell, body: (i: number, address: number) => void): void => {
    for (let i = 0; i < TILE_ROWS * TILE_WORDS; i++) {
      body(i, (at as number) + Math.floor(i / TILE_WORDS) * (stride as number) + (i % TILE_WORDS) * 4);
    }
  };
  const make = (type: "ints" | "floats", lane: (i: number) => number): Lanes => {
    const lanes = type === "ints" ? new Int32Array(W) : new Float32Array(W);
    for (let i = 0; i < W; i++) lanes[i] = lane(i);
    return lanes;
  };
  const madd = machine.madd === "fused" ? fusedMadd : (a: number, b: number, c: number) => fround(fround(a * b) + c);
  const dotBytes = (sum: number, x: number, w: number): number => {
    for (let i = 0; i < 4; i++) {
      if (machine.dot === "i7" && byte(w, i) > 127) throw new RangeError(`dotBytes: ${byte(w, i)} needs 8 bits`);
      sum = (sum + signedByte(x, i) * byte(w, i)) | 0;
    }
    return sum;
  };
  const memory: Partial<Record<OperationName, (at: number, value: Cell) => Cell>> = {
    "int.load": (at) => view.getInt32(at, true),
    "int.loadWord": (at) => (machine.word === 64 ? Number(view.getBigInt64(at, true)) : view.getInt32(at, true)),
    "int.loadU8": (at) => view.getUint8(at),
    "int.loadU16": (at) => view.getUint16(at, true),
    "int.store": (at, value) => (view.setInt32(at, value as number, true), 0),
    "int.store8": (at, value) => (view.setInt8(at, value as number), 0),
    "int.store16": (at, value) => (view.setInt16(at, value as number, true), 0),
    "float.load": (at) => view.getFloat32(at, true),
    "float.store": (at, value) => (view.setFloat32(at, value as number, true), 0),
    "ints.load": (at) => make("ints", (i) => view.getInt32(at + 4 * i, true)),
    "ints.loadSplat": (at) => make("ints", () => view.getInt32(at, true)),
    "ints.loadU8": (at) => make("ints", (i) => view.getUint8(at + i)),
    "ints.loadS8": (at) => make("ints", (i) => view.getInt8(at + i)),
    "ints.loadU16": (at) => make("ints", (i) => view.getUint16(at + 2 * i, true)),
    "ints.loadS16": (at) => make("ints", (i) => view.getInt16(at + 2 * i, true)),
    "ints.store": (at, value) => ((value as Lanes).forEach((x, i) => view.setInt32(at + 4 * i, x, true)), 0),
    "ints.store8": (at, value) => ((value as Lanes).forEach((x, i) => view.setInt8(at + i, x)), 0),
    "ints.store16": (at, value) => ((value as Lanes).forEach((x, i) => view.setInt16(at + 2 * i, x, true)), 0),
    "floats.load": (at) => make("floats", (i) => view.getFloat32(at + 4 * i, true)),
    "floats.loadSplat": (at) => make("floats", () => view.getFloat32(at, true)),
    "floats.store": (at, value) => ((value as Lanes).forEach((x, i) => view.setFloat32(at + 4 * i, x, true)), 0),
    "floats.storeOnce": (at, value) => {
      if (at % (4 * W) !== 0) throw new RangeError(`storeOnce: ${at} is no multiple of ${4 * W}`);
      (value as Lanes).forEach((x, i) => view.setFloat32(at + 4 * i, x, true));
      return 0;
    },
    "floats.loadF16": (at) => make("floats", (i) => f16Value(view.getUint16(at + 2 * i, true))),
    "floats.storeF16": (at, value) => (
      (value as Lanes).forEach((x, i) => view.setUint16(at + 2 * i, f16Bits(x), true)),
      0
    ),
    "memory.prefetch": () => 0,
  };
  const loadTile = ([at, stride]: Cell[], tile: number): Cell => (
    eachTileWord(at, stride, (i, from) => (tiles[tile][i] = view.getInt32(from, true))),
    0
  );
  const special: Partial<Record<OperationName, (operands: Cell[], immediate: number) => Cell>> = {
    "int.const": (_, value) => value,
    "float.const": (_, value) => value,
    "ints.const": (_, value) => make("ints", () => value),
    "floats.const": (_, value) => make("floats", () => value),
    "ints.table": (_, index) => make("ints", (i) => joinBytes((n) => tables[index][(4 * i + n) % TABLE_BYTES])),
    "ints.lookup": ([table, codes]) =>
      make("ints", (i) =>
        joinBytes((n) => {
          const code = fourBits((codes as Lanes)[i], n);
          return byte((table as Lanes)[(i & ~3) + (code >> 2)], code & 3);
        }),
      ),
    "int.parameter": (_, which) => [call.record, call.part, call.parts][which],
    "int.scratch": () => call.scratch ?? 0,
    "ints.splat": ([value]) => make("ints", () => value as number),
    "floats.splat": ([value]) => make("floats", () => value as number),
    "ints.lane": ([lanes], lane) => (lanes as Lanes)[lane],
    "floats.lane": ([lanes], lane) => (lanes as Lanes)[lane],
    "tile.zero": (_, tile) => (tiles[tile].fill(0), 0),
    "tile.load": loadTile,
    "tile.loadOnce": loadTile,
    "tile.store": ([at, stride], tile) => (
      eachTileWord(at, stride, (i, to) => view.setInt32(to, tiles[tile][i], true)),
      0
    ),
    "tile.dotBf16": (_, numbers) => (dotTiles(tiles[numbers & 15], tiles[(numbers >> 4) & 15], tiles[numbers >> 8]), 0),
    "floats.rotate": ([lanes], distance) =>
      make("floats", (i) => (i < distance ? (lanes as Lanes)[i + distance] : NaN)),
  };
  return (op, immediate) => {
    const type = operations[op][0];
    const [access, other, shift] = [memory[op], special[op], withImmediate[op]];
    if (access !== undefined) return (at, value) => access((at as number) + immediate, value);
    if (other !== undefined) return (a, b) => other([a, b], immediate);
    const plain =
      shift !== undefined
        ? (x: number) => shift(x, immediate)
        : op === "floats.madd"
          ? madd
          : op === "ints.dotBytes"
            ? dotBytes
            : elementwise[op]!;
    if (type !== "ints" && type !== "floats") return (a, b, c) => plain(a as number, b as number, c as number);
    return (a, b, c) => {
      const [x, y, z] = [a as Lanes, b as Lanes, c as Lanes];
      return make(type, (i) => plain(x[i], y?.[i], z?.[i]));
    };
  };
}
