// Traces a kernel: runs its TypeScript body once for a machine and collects the statements. Loops of the body that are
// TypeScript loops are thereby unrolled; loops of the kernel are `range`. Constants of a kernel are set once at its
// start, so that a loop never makes them again.
import { ShapeError } from "../base/errors.ts";
import type { If, Loop, Machine, OperationName, Statement, TracedKernel, ValueType } from "./ir.ts";
import { TABLE_BYTES, operations } from "./ir.ts";
import { Float, Floats, Int, Ints, type Tracer, Value } from "./values.ts";

/** A value that may be set again; read it with `value`. */
export interface Variable<T extends Value> {
  value: T;
}

/** A kernel's source: its record's words by name, and its body. */
export interface Kernel<W extends string = string> {
  readonly name: string;
  /** Names of the argument record's words, of `Machine.word` bits each, in order. */
  readonly words: readonly W[];
  readonly body: (k: KernelBuilder, words: Readonly<Record<W, Int>>) => void;
}

export function defineKernel<const W extends string>(
  name: string,
  words: readonly W[],
  body: (k: KernelBuilder, words: Readonly<Record<W, Int>>) => void,
): Kernel<W> {
  return { name, words, body };
}

const wrappers = { int: Int, float: Float, ints: Ints, floats: Floats };

export class KernelBuilder implements Tracer {
  readonly machine: Machine;
  /** W: lanes of a register. */
  readonly lanes: number;
  /** Which part of the step this call computes, and of how many. */
  readonly part: Int;
  readonly parts: Int;
  readonly #types: ValueType[] = [];
  readonly #constants: Statement[] = [];
  readonly #constantIds = new Map<string, number>();
  readonly #tables: (readonly number[])[] = [];
  #body: Statement[] = [];

  constructor(machine: Machine) {
    this.machine = machine;
    this.lanes = machine.lanes;
    this.part = new Int(this, this.#constant("int.parameter", 1));
    this.parts = new Int(this, this.#constant("int.parameter", 2));
  }

  /** The argument record's words, loaded. */
  words<W extends string>(names: readonly W[]): Record<W, Int> {
    const record = new Int(this, this.#constant("int.parameter", 0));
    return Object.fromEntries(names.map((name, i) => [name, record.loadWord((i * this.machine.word) / 8)])) as Record<
      W,
      Int
    >;
  }

  /** Address of scratch bytes that only this thread uses; their content is undefined at the start. */
  get scratch(): Int {
    return new Int(this, this.#constant("int.scratch", 0));
  }

  int(value: Int | number): Int {
    return typeof value === "number" ? new Int(this, this.#constant("int.const", value | 0)) : value;
  }

  float(value: number): Float {
    return new Float(this, this.#constant("float.const", Math.fround(value)));
  }

  ints(value: Ints | number): Ints {
    return typeof value === "number" ? new Ints(this, this.#constant("ints.const", value | 0)) : value;
  }

  floats(value: Floats | number): Floats {
    return typeof value === "number" ? new Floats(this, this.#constant("floats.const", Math.fround(value))) : value;
  }

  /** 16 bytes, of which `Ints.lookup` reads. Throws ShapeError for another number of them. */
  table(bytes: ArrayLike<number>): Ints {
    if (bytes.length !== TABLE_BYTES) throw new ShapeError("a table's bytes", bytes.length, TABLE_BYTES);
    const table = Array.from(bytes, (byte) => byte & 255);
    let index = this.#tables.findIndex((known) => known.every((byte, i) => byte === table[i]));
    if (index < 0) index = this.#tables.push(table) - 1;
    return new Ints(this, this.#constant("ints.table", index));
  }

  /** The tile registers, by number; only where `machine.tiles`. */
  readonly tiles = {
    zero: (tile: number): void => void this.apply("tile.zero", [], tile),
    /** 16 rows of 64 bytes, `stride` bytes apart. */
    load: (tile: number, at: Int, stride: Int | number): void =>
      void this.apply("tile.load", [at, this.int(stride)], tile),
    /** The same; what is read again sooner keeps its place in the first cache level. */
    loadOnce: (tile: number, at: Int, stride: Int | number): void =>
      void this.apply("tile.loadOnce", [at, this.int(stride)], tile),
    store: (tile: number, at: Int, stride: Int | number): void =>
      void this.apply("tile.store", [at, this.int(stride)], tile),
    /** sums += a · b of bf16, b's k in pairs. */
    dotBf16: (sums: number, a: number, b: number): void =>
      void this.apply("tile.dotBf16", [], sums | (a << 4) | (b << 8)),
  };

  /** A variable that starts as `value`. */
  variable<T extends Value>(value: T): Variable<T> {
    const variable = this.#id(this.#types[value.id]);
    this.#body.push({ kind: "set", variable, value: value.id });
    const read = (): T => {
      const result = this.#id(this.#types[variable]);
      this.#body.push({ kind: "get", variable, result });
      return new wrappers[this.#types[variable]](this, result) as Value as T;
    };
    const write = (value: T): void => {
      this.#body.push({ kind: "set", variable, value: value.id });
    };
    return {
      get value() {
        return read();
      },
      set value(next) {
        write(next);
      },
    };
  }

  /** `count` variables that start as `value`. */
  variables<T extends Value>(count: number, value: T): Variable<T>[] {
    return Array.from({ length: count }, () => this.variable(value));
  }

  /** for (i = from; i < to; i += step), signed; `to` and `step` are taken once. */
  range(from: Int | number, to: Int | number, step: Int | number, body: (i: Int) => void): void {
    const counter = this.#id("int");
    const [first, last, by] = [this.int(from), this.int(to), this.int(step)];
    const statements = this.#block(() => body(new Int(this, counter)));
    const loop: Loop = { kind: "loop", counter, from: first.id, to: last.id, step: by.id, body: statements };
    this.#body.push(loop);
  }

  /** Runs `then` where the condition is not zero, else `otherwise`. */
  when(condition: Int, then: () => void, otherwise: () => void = () => {}): void {
    const branch: If = {
      kind: "if",
      condition: condition.id,
      body: this.#block(then),
      otherwise: this.#block(otherwise),
    };
    this.#body.push(branch);
  }

  /**
   * This part's share of `count` units, as even as whole numbers allow: calls `body` with its first unit and the one
   * past its last. The bounds depend on count and parts alone.
   */
  share(count: Int | number, body: (first: Int, end: Int) => void): void {
    const total = this.int(count);
    const [each, extra] = [total.div(this.parts), total.rem(this.parts)];
    const first = this.part.mul(each).add(this.part.min(extra));
    body(first, first.add(each).add(this.part.less(extra)));
  }

  /**
   * As `share`, but each part is smaller than the one before, by as much: what streams through is read in long runs, and
   * the last parts, which are small, come out even on threads that take part after part. Sizes: trapezoid
   * self-scheduling, Tzen and Ni 1993. `count` times the square of the parts must stay below 2^31.
   */
  shareTapering(count: Int | number, body: (first: Int, end: Int) => void): void {
    const total = this.int(count);
    const left = this.parts.sub(this.part);
    const rest = (left: Int): Int => total.mul(left).mul(left).div(this.parts.mul(this.parts));
    body(total.sub(rest(left)), total.sub(rest(left.sub(1))));
  }

  finish(name: string): TracedKernel {
    return { name, types: this.#types, tables: this.#tables, body: [...this.#constants, ...this.#body] };
  }

  // Tracer

  apply(op: OperationName, operands: readonly Value[], immediate = 0): number {
    const [type] = operations[op];
    const result = type === "none" ? -1 : this.#id(type);
    this.#body.push({ kind: "do", op, operands: operands.map((operand) => operand.id), result, immediate });
    return result;
  }

  madd(a: Floats, b: Floats, c: Floats): Floats {
    return this.machine.madd === "none" ? a.mul(b).add(c) : new Floats(this, this.apply("floats.madd", [a, b, c]));
  }

  dotBytes(sum: Ints, signed: Ints, unsigned: Ints, bits: 7 | 8): Ints {
    const dot = (sum: Ints, unsigned: Ints): Ints =>
      new Ints(this, this.apply("ints.dotBytes", [sum, signed, unsigned]));
    if (this.machine.dot === "u8" || (this.machine.dot === "i7" && bits === 7)) return dot(sum, unsigned);
    if (this.machine.dot === "i7") {
      const high = dot(this.ints(0), unsigned.shr(7).and(0x01010101));
      return dot(sum.add(high.shl(7)), unsigned.and(0x7f7f7f7f));
    }
    const even = signed.shlHalves(8).shrSignedHalves(8).dotHalves(unsigned.and(0x00ff00ff));
    return sum.add(even).add(signed.shrSignedHalves(8).dotHalves(unsigned.shrHalves(8)));
  }

  sumLanes(x: Floats): Float {
    let sum = x;
    for (let distance = this.lanes >> 1; distance >= 1; distance >>= 1) sum = sum.add(sum.rotate(distance));
    return sum.lane(0);
  }

  maxLanes(x: Floats): Float {
    let most = x;
    for (let distance = this.lanes >> 1; distance >= 1; distance >>= 1) most = most.max(most.rotate(distance));
    return most.lane(0);
  }

  #id(type: ValueType): number {
    return this.#types.push(type) - 1;
  }

  #constant(op: OperationName, immediate: number): number {
    const key = `${op} ${Object.is(immediate, -0) ? "-0" : immediate}`;
    const known = this.#constantIds.get(key);
    if (known !== undefined) return known;
    const result = this.#id(operations[op][0] as ValueType);
    this.#constantIds.set(key, result);
    this.#constants.push({ kind: "do", op, operands: [], result, immediate });
    return result;
  }

  #block(trace: () => void): Statement[] {
    const outer = this.#body;
    this.#body = [];
    trace();
    const statements = this.#body;
    this.#body = outer;
    return statements;
  }
}

/** Builds `kernel` for a machine. */
export function traceKernel<W extends string>(kernel: Kernel<W>, machine: Machine): TracedKernel {
  const builder = new KernelBuilder(machine);
  kernel.body(builder, builder.words(kernel.words));
  return builder.finish(kernel.name);
}
