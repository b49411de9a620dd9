// Evaluates a kernel statement by statement, lane by lane, over plain memory: the oracle that emitted code is tested
// against, bit for bit. What each operation does with numbers: interpret-operations.ts.
import { f16Bits, f16Value } from "../numeric/f16.ts";
import {
  TILE_ROWS,
  TILE_WORDS,
  byte,
  dotBytesOf,
  dotTiles,
  elementwise,
  fourBits,
  joinBytes,
  maddOf,
  withImmediate,
} from "./interpret-operations.ts";
import {
  type Do,
  type Machine,
  type Statement,
  TABLE_BYTES,
  type TracedKernel,
  type ValueType,
  operations,
} from "./ir.ts";

type Lanes = Int32Array | Float32Array;

/** Which part of a step to compute: `record` is the argument record's address, `scratch` the thread's own bytes. */
export interface Call {
  readonly record: number;
  readonly part: number;
  readonly parts: number;
  readonly scratch?: number;
}

/** Runs a traced kernel for one part. */
export function interpret(kernel: TracedKernel, machine: Machine, memory: ArrayBufferLike, call: Call): void {
  interpreter(kernel, machine, memory)(call);
}

/** A traced kernel over `memory`, to be run as often as it is called: statements become functions once. */
export function interpreter(kernel: TracedKernel, machine: Machine, memory: ArrayBufferLike): (call: Call) => void {
  const cells = new Cells(kernel, machine.lanes);
  const evaluator = new Evaluator(kernel, machine, new DataView(memory), cells);
  const prepare = (statements: readonly Statement[]): (() => void) => {
    const steps = statements.map(prepareOne);
    return () => {
      for (let i = 0; i < steps.length; i++) steps[i]();
    };
  };
  const prepareOne = (statement: Statement): (() => void) => {
    const { numbers } = cells;
    switch (statement.kind) {
      case "do":
        return evaluator.prepare(statement);
      case "get":
        return cells.copy(statement.variable, statement.result);
      case "set":
        return cells.copy(statement.value, statement.variable);
      case "loop": {
        const { counter, from } = statement;
        const body = prepare(statement.body);
        return () => {
          const [to, step] = [numbers[statement.to], numbers[statement.step]];
          for (let i = numbers[from]; i < to; i = (i + step) | 0) {
            numbers[counter] = i;
            body();
          }
        };
      }
      case "if": {
        const { condition } = statement;
        const [body, otherwise] = [prepare(statement.body), prepare(statement.otherwise)];
        return () => (numbers[condition] === 0 ? otherwise() : body());
      }
      default:
        return statement satisfies never;
    }
  };
  const run = prepare(kernel.body);
  return (call) => {
    evaluator.start(call);
    run();
  };
}

/** What every value of a kernel is now, by its id: of ints and floats a number, of registers W words from `at` on. */
class Cells {
  readonly numbers: Float64Array;
  readonly ints: Int32Array;
  /** The same words. */
  readonly floats: Float32Array;
  readonly #types: readonly ValueType[];
  readonly #lanes: number;

  constructor({ types }: TracedKernel, lanes: number) {
    this.#types = types;
    this.#lanes = lanes;
    this.numbers = new Float64Array(types.length);
    this.ints = new Int32Array(types.length * lanes);
    this.floats = new Float32Array(this.ints.buffer);
  }

  /** Nothing is set: what is read before that is no number. */
  forget(): void {
    this.numbers.fill(NaN);
    this.floats.fill(NaN);
  }

  at(id: number): number {
    return id * this.#lanes;
  }

  isRegister(id: number): boolean {
    return this.#types[id] === "ints" || this.#types[id] === "floats";
  }

  copy(from: number, to: number): () => void {
    const { numbers, ints } = this;
    if (!this.isRegister(from)) return () => void (numbers[to] = numbers[from]);
    const [source, target, lanes] = [this.at(from), this.at(to), this.#lanes];
    return () => {
      for (let i = 0; i < lanes; i++) ints[target + i] = ints[source + i];
    };
  }
}

/** How one number lies in memory. */
interface Access {
  readonly bytes: number;
  readonly load: (at: number) => number;
  readonly store: (at: number, value: number) => void;
}

/** By the end of an operation's name. */
function accessesOf(view: DataView, { word }: Machine): Readonly<Record<string, Access>> {
  const access = (bytes: number, load: Access["load"], store: Access["store"]): Access => ({ bytes, load, store });
  const i32 = access(
    4,
    (at) => view.getInt32(at, true),
    (at, value) => view.setInt32(at, value, true),
  );
  const i8 = access(
    1,
    (at) => view.getInt8(at),
    (at, value) => view.setInt8(at, value),
  );
  const i16 = access(
    2,
    (at) => view.getInt16(at, true),
    (at, value) => view.setInt16(at, value, true),
  );
  const f16 = access(
    2,
    (at) => f16Value(view.getUint16(at, true)),
    (at, value) => view.setUint16(at, f16Bits(value), true),
  );
  const f32 = access(
    4,
    (at) => view.getFloat32(at, true),
    (at, value) => view.setFloat32(at, value, true),
  );
  return {
    int: i32,
    float: f32,
    Word: word === 64 ? { ...i32, bytes: 8, load: (at) => Number(view.getBigInt64(at, true)) } : i32,
    "8": i8,
    S8: i8,
    U8: { ...i8, load: (at) => view.getUint8(at) },
    "16": i16,
    S16: i16,
    U16: { ...i16, load: (at) => view.getUint16(at, true) },
    F16: f16,
  };
}

/** Makes functions of statements that compute. */
class Evaluator {
  #call: Call = { record: 0, part: 0, parts: 1 };
  readonly #machine: Machine;
  readonly #tables: TracedKernel["tables"];
  readonly #view: DataView;
  readonly #cells: Cells;
  readonly #accesses: Readonly<Record<string, Access>>;
  readonly #tiles = Array.from({ length: 8 }, () => new Int32Array(TILE_ROWS * TILE_WORDS));

  constructor({ tables }: TracedKernel, machine: Machine, view: DataView, cells: Cells) {
    this.#tables = tables;
    this.#machine = machine;
    this.#view = view;
    this.#cells = cells;
    this.#accesses = accessesOf(view, machine);
  }

  start(call: Call): void {
    this.#call = call;
    this.#cells.forget();
    for (const tile of this.#tiles) tile.fill(0);
  }

  prepare(statement: Do): () => void {
    const { op } = statement;
    const [type, ...types] = operations[op];
    if (op.startsWith("tile.")) return this.#onTiles(statement);
    if (op === "memory.prefetch") return () => undefined;
    const [, direction, how] = /\.(load|store)(.*)$/.exec(op) ?? [];
    const isRegister = /^(ints|floats)\./.test(op);
    if (direction === "load") return isRegister ? this.#loadLanes(statement, how) : this.#loadNumber(statement, how);
    if (direction === "store") return isRegister ? this.#storeLanes(statement, how) : this.#storeNumber(statement, how);
    const special = this.#special(statement);
    if (special !== undefined) return special;
    const { operands, immediate, result } = statement;
    const [a = 0, b = 0, c = 0] = operands; // of those that are not there nobody asks
    const shift = withImmediate[op];
    const f =
      shift !== undefined
        ? (x: number) => shift(x, immediate)
        : op === "floats.madd"
          ? maddOf(this.#machine)
          : op === "ints.dotBytes"
            ? dotBytesOf(this.#machine)
            : elementwise[op]!;
    const { numbers, ints, floats } = this.#cells;
    if (!isRegister) return () => void (numbers[result] = f(numbers[a], numbers[b], numbers[c]));
    const wordsOf = (type: ValueType | "none" | undefined): Lanes => (type === "floats" ? floats : ints);
    const [out, x, y, z] = [type, types[0], types[1], types[2]].map(wordsOf);
    const [to, first, second, third] = [result, a, b, c].map((id) => this.#cells.at(id));
    const W = this.#machine.lanes;
    return () => {
      for (let i = 0; i < W; i++) out[to + i] = f(x[first + i], y[second + i], z[third + i]);
    };
  }

  #loadNumber({ op, operands: [at], immediate, result }: Do, how: string): () => void {
    const { numbers } = this.#cells;
    const { load } = this.#accesses[how === "" ? op.split(".")[0] : how];
    return () => void (numbers[result] = load(numbers[at] + immediate));
  }

  #storeNumber({ op, operands: [at, value], immediate }: Do, how: string): () => void {
    const { numbers } = this.#cells;
    const { store } = this.#accesses[how === "" ? op.split(".")[0] : how];
    return () => store(numbers[at] + immediate, numbers[value]);
  }

  /** Lanes side by side; whole ones bit by bit. */
  #loadLanes({ op, operands: [at], immediate, result }: Do, how: string): () => void {
    const { numbers, ints, floats } = this.#cells;
    const [view, W, to] = [this.#view, this.#machine.lanes, this.#cells.at(result)];
    if (how === "" || how === "Splat") {
      const distance = how === "" ? 4 : 0;
      return () => {
        const from = numbers[at] + immediate;
        for (let i = 0; i < W; i++) ints[to + i] = view.getInt32(from + i * distance, true);
      };
    }
    const { load, bytes } = this.#accesses[how];
    const out = op.startsWith("ints.") ? ints : floats;
    return () => {
      const from = numbers[at] + immediate;
      for (let i = 0; i < W; i++) out[to + i] = load(from + i * bytes);
    };
  }

  #storeLanes({ op, operands: [at, value], immediate }: Do, how: string): () => void {
    const { numbers, ints, floats } = this.#cells;
    const [view, W, from] = [this.#view, this.#machine.lanes, this.#cells.at(value)];
    if (how === "" || how === "Once") {
      const multiple = how === "" ? 1 : 4 * W;
      return () => {
        const to = numbers[at] + immediate;
        if (to % multiple !== 0) throw new RangeError(`storeOnce: ${to} is no multiple of ${multiple}`);
        for (let i = 0; i < W; i++) view.setInt32(to + 4 * i, ints[from + i], true);
      };
    }
    const { store, bytes } = this.#accesses[how];
    const words = op.startsWith("ints.") ? ints : floats;
    return () => {
      const to = numbers[at] + immediate;
      for (let i = 0; i < W; i++) store(to + i * bytes, words[from + i]);
    };
  }

  /** What is no function of each lane alone. */
  #special({ op, operands: [a, b], immediate, result }: Do): (() => void) | undefined {
    const { numbers, ints, floats } = this.#cells;
    const W = this.#machine.lanes;
    const [to, from] = [this.#cells.at(result), this.#cells.at(a ?? 0)];
    const splat = (words: Lanes, value: () => number) => () => void words.fill(value(), to, to + W);
    switch (op) {
      case "int.const":
      case "float.const":
        return () => void (numbers[result] = immediate);
      case "ints.const":
        return splat(ints, () => immediate);
      case "floats.const":
        return splat(floats, () => immediate);
      case "ints.splat":
        return splat(ints, () => numbers[a]);
      case "floats.splat":
        return splat(floats, () => numbers[a]);
      case "int.parameter": {
        const name = (["record", "part", "parts"] as const)[immediate];
        return () => void (numbers[result] = this.#call[name]);
      }
      case "int.scratch":
        return () => void (numbers[result] = this.#call.scratch ?? 0);
      case "ints.table": {
        const table = this.#tables[immediate];
        return () => {
          for (let i = 0; i < W; i++) ints[to + i] = joinBytes((n) => table[(4 * i + n) % TABLE_BYTES]);
        };
      }
      case "ints.lookup": {
        const codes = this.#cells.at(b);
        return () => {
          for (let i = 0; i < W; i++) {
            ints[to + i] = joinBytes((n) => {
              const code = fourBits(ints[codes + i], n);
              return byte(ints[from + (i & ~3) + (code >> 2)], code & 3);
            });
          }
        };
      }
      case "ints.lane":
        return () => void (numbers[result] = ints[from + immediate]);
      case "floats.lane":
        return () => void (numbers[result] = floats[from + immediate]);
      case "floats.rotate":
        return () => {
          for (let i = 0; i < W; i++) floats[to + i] = i < immediate ? floats[from + i + immediate] : NaN;
        };
      default:
        return undefined;
    }
  }

  #onTiles({ op, operands: [at, stride], immediate }: Do): () => void {
    const { numbers } = this.#cells;
    const [view, tiles] = [this.#view, this.#tiles];
    const tile = tiles[immediate & 15];
    const eachWord = (body: (i: number, address: number) => void) => () => {
      const [start, distance] = [numbers[at], numbers[stride]];
      for (let i = 0; i < TILE_ROWS * TILE_WORDS; i++) {
        body(i, start + Math.floor(i / TILE_WORDS) * distance + (i % TILE_WORDS) * 4);
      }
    };
    if (op === "tile.zero") return () => void tile.fill(0);
    if (op === "tile.dotBf16") {
      const [a, b] = [tiles[(immediate >> 4) & 15], tiles[immediate >> 8]];
      return () => dotTiles(tile, a, b);
    }
    if (op === "tile.store") return eachWord((i, address) => view.setInt32(address, tile[i], true));
    return eachWord((i, address) => (tile[i] = view.getInt32(address, true)));
  }
}
