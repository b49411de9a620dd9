// The values a kernel computes with, as a kernel's author sees them: methods instead of operators. Each call appends one
// statement to the kernel that is being traced. Plain numbers stand for constants.
import type { Machine, OperationName } from "./ir.ts";

/** Where statements go; the builder (builder.ts). */
export interface Tracer {
  readonly machine: Machine;
  apply(op: OperationName, operands: readonly Value[], immediate?: number): number;
  int(value: Int | number): Int;
  ints(value: Ints | number): Ints;
  floats(value: Floats | number): Floats;
  dotBytes(sum: Ints, signed: Ints, unsigned: Ints, bits: 7 | 8): Ints;
  madd(a: Floats, b: Floats, c: Floats): Floats;
  sumLanes(x: Floats): Float;
  maxLanes(x: Floats): Float;
}

export class Value {
  readonly tracer: Tracer;
  readonly id: number;

  constructor(tracer: Tracer, id: number) {
    this.tracer = tracer;
    this.id = id;
  }
}

/** A scalar of the machine's word: a count, an index, an address, or 1/0 for true/false. */
export class Int extends Value {
  #int(op: OperationName, operands: readonly (Int | number)[], immediate = 0): Int {
    const values = operands.map((operand) => this.tracer.int(operand));
    return new Int(this.tracer, this.tracer.apply(op, [this, ...values], immediate));
  }
  add(b: Int | number): Int {
    return b === 0 ? this : this.#int("int.add", [b]);
  }
  sub(b: Int | number): Int {
    return this.#int("int.sub", [b]);
  }
  mul(b: Int | number): Int {
    return b === 1 ? this : this.#int("int.mul", [b]);
  }
  /** Unsigned quotient and remainder. */
  div(b: Int | number): Int {
    return this.#int("int.divU", [b]);
  }
  rem(b: Int | number): Int {
    return this.#int("int.remU", [b]);
  }
  and(b: Int | number): Int {
    return this.#int("int.and", [b]);
  }
  or(b: Int | number): Int {
    return this.#int("int.or", [b]);
  }
  xor(b: Int | number): Int {
    return this.#int("int.xor", [b]);
  }
  shl(bits: Int | number): Int {
    return this.#int("int.shl", [bits]);
  }
  shr(bits: Int | number): Int {
    return this.#int("int.shrU", [bits]);
  }
  equals(b: Int | number): Int {
    return this.#int("int.eq", [b]);
  }
  /** Signed. */
  less(b: Int | number): Int {
    return this.#int("int.ltS", [b]);
  }
  /** `a` where this is not zero, else `b`. */
  select(a: Int | number, b: Int | number): Int {
    return this.#int("int.select", [a, b]);
  }
  min(b: Int | number): Int {
    return this.less(b).select(this, b);
  }
  max(b: Int | number): Int {
    return this.less(b).select(b, this);
  }
  toFloat(): Float {
    return new Float(this.tracer, this.tracer.apply("float.fromInt", [this]));
  }
  asFloat(): Float {
    return new Float(this.tracer, this.tracer.apply("float.bits", [this]));
  }
  selectFloat(a: Float, b: Float): Float {
    return new Float(this.tracer, this.tracer.apply("float.select", [this, a, b]));
  }
  splat(): Ints {
    return new Ints(this.tracer, this.tracer.apply("ints.splat", [this]));
  }

  // This as an address; offsets are constant bytes.
  loadInt(offset = 0): Int {
    return this.#int("int.load", [], offset);
  }
  loadWord(offset = 0): Int {
    return this.#int("int.loadWord", [], offset);
  }
  loadByte(offset = 0): Int {
    return this.#int("int.loadU8", [], offset);
  }
  loadHalf(offset = 0): Int {
    return this.#int("int.loadU16", [], offset);
  }
  loadFloat(offset = 0): Float {
    return new Float(this.tracer, this.tracer.apply("float.load", [this], offset));
  }
  #ints(op: OperationName, offset: number): Ints {
    return new Ints(this.tracer, this.tracer.apply(op, [this], offset));
  }
  loadInts(offset = 0): Ints {
    return this.#ints("ints.load", offset);
  }
  /** The i32 at the address, in all lanes. */
  splatInts(offset = 0): Ints {
    return this.#ints("ints.loadSplat", offset);
  }
  /** W bytes or halfwords, one a lane. */
  loadBytes(offset = 0): Ints {
    return this.#ints("ints.loadU8", offset);
  }
  loadSignedBytes(offset = 0): Ints {
    return this.#ints("ints.loadS8", offset);
  }
  loadHalves(offset = 0): Ints {
    return this.#ints("ints.loadU16", offset);
  }
  loadSignedHalves(offset = 0): Ints {
    return this.#ints("ints.loadS16", offset);
  }
  loadFloats(offset = 0): Floats {
    return new Floats(this.tracer, this.tracer.apply("floats.load", [this], offset));
  }
  /** The f32 at the address, in all lanes. */
  splatFloats(offset = 0): Floats {
    return new Floats(this.tracer, this.tracer.apply("floats.loadSplat", [this], offset));
  }
  /** W f16 numbers; only where `machine.f16`, elsewhere see math.ts. */
  loadF16(offset = 0): Floats {
    return new Floats(this.tracer, this.tracer.apply("floats.loadF16", [this], offset));
  }
  storeF16(value: Floats, offset = 0): void {
    this.tracer.apply("floats.storeF16", [this, value], offset);
  }
  prefetch(offset = 0): void {
    this.tracer.apply("memory.prefetch", [this], offset);
  }
  store(value: Int | Float | Ints | Floats, offset = 0): void {
    const type = value instanceof Int ? "int" : value instanceof Float ? "float" : undefined;
    const op = type ?? (value instanceof Ints ? "ints" : "floats");
    this.tracer.apply(`${op}.store`, [this, value], offset);
  }
  /** Past the caches: what is large and not read again soon. The address is a multiple of a register's bytes. */
  storeOnce(value: Floats, offset = 0): void {
    this.tracer.apply("floats.storeOnce", [this, value], offset);
  }
  storeHalf(value: Int, offset = 0): void {
    this.tracer.apply("int.store16", [this, value], offset);
  }
  storeByte(value: Int, offset = 0): void {
    this.tracer.apply("int.store8", [this, value], offset);
  }
  /** The low byte of each lane, W bytes side by side. */
  storeBytes(value: Ints, offset = 0): void {
    this.tracer.apply("ints.store8", [this, value], offset);
  }
  storeHalves(value: Ints, offset = 0): void {
    this.tracer.apply("ints.store16", [this, value], offset);
  }
}

/** An f32 scalar. */
export class Float extends Value {
  #float(op: OperationName, ...operands: readonly Float[]): Float {
    return new Float(this.tracer, this.tracer.apply(op, [this, ...operands]));
  }
  add(b: Float): Float {
    return this.#float("float.add", b);
  }
  sub(b: Float): Float {
    return this.#float("float.sub", b);
  }
  mul(b: Float): Float {
    return this.#float("float.mul", b);
  }
  div(b: Float): Float {
    return this.#float("float.div", b);
  }
  sqrt(): Float {
    return this.#float("float.sqrt");
  }
  less(b: Float): Int {
    return new Int(this.tracer, this.tracer.apply("float.lt", [this, b]));
  }
  max(b: Float): Float {
    return this.less(b).selectFloat(b, this);
  }
  /** Truncated, saturating. */
  toInt(): Int {
    return new Int(this.tracer, this.tracer.apply("int.fromFloat", [this]));
  }
  asInt(): Int {
    return new Int(this.tracer, this.tracer.apply("int.bits", [this]));
  }
  splat(): Floats {
    return new Floats(this.tracer, this.tracer.apply("floats.splat", [this]));
  }
}

/** A register of W 32-bit integers. */
export class Ints extends Value {
  #ints(op: OperationName, operands: readonly (Ints | number)[], immediate = 0): Ints {
    const values = operands.map((operand) => this.tracer.ints(operand));
    return new Ints(this.tracer, this.tracer.apply(op, [this, ...values], immediate));
  }
  add(b: Ints | number): Ints {
    return this.#ints("ints.add", [b]);
  }
  sub(b: Ints | number): Ints {
    return this.#ints("ints.sub", [b]);
  }
  mul(b: Ints | number): Ints {
    return this.#ints("ints.mul", [b]);
  }
  and(b: Ints | number): Ints {
    return this.#ints("ints.and", [b]);
  }
  or(b: Ints | number): Ints {
    return this.#ints("ints.or", [b]);
  }
  xor(b: Ints | number): Ints {
    return this.#ints("ints.xor", [b]);
  }
  shl(bits: number): Ints {
    return bits === 0 ? this : this.#ints("ints.shl", [], bits);
  }
  shr(bits: number): Ints {
    return bits === 0 ? this : this.#ints("ints.shrU", [], bits);
  }
  /** Arithmetic shift. */
  shrSigned(bits: number): Ints {
    return bits === 0 ? this : this.#ints("ints.shrS", [], bits);
  }
  /** Masks: all ones where true. */
  equals(b: Ints | number): Ints {
    return this.#ints("ints.eq", [b]);
  }
  greater(b: Ints | number): Ints {
    return this.#ints("ints.gtS", [b]);
  }
  /** This as a mask: `a` where set, else `b`. */
  select(a: Ints | number, b: Ints | number): Ints {
    return this.#ints("ints.select", [a, b]);
  }
  selectFloats(a: Floats | number, b: Floats | number): Floats {
    const [x, y] = [this.tracer.floats(a), this.tracer.floats(b)];
    return new Floats(this.tracer, this.tracer.apply("floats.select", [this, x, y]));
  }
  max(b: Ints | number): Ints {
    return this.greater(b).select(this, b);
  }
  /** Each byte, 0..15, becomes the byte of that number of a table that `KernelBuilder.table` made. */
  lookup(table: Ints): Ints {
    return new Ints(this.tracer, this.tracer.apply("ints.lookup", [table, this]));
  }
  lane(lane: number): Int {
    return new Int(this.tracer, this.tracer.apply("ints.lane", [this], lane));
  }
  shlHalves(bits: number): Ints {
    return this.#ints("ints.shlHalves", [], bits);
  }
  shrSignedHalves(bits: number): Ints {
    return this.#ints("ints.shrSHalves", [], bits);
  }
  shrHalves(bits: number): Ints {
    return this.#ints("ints.shrUHalves", [], bits);
  }
  /** Each 16-bit half on its own, wrapping. */
  addHalves(b: Ints): Ints {
    return this.#ints("ints.addHalves", [b]);
  }
  /**
   * Per 16-bit half: two products of signed bytes of this and bytes of `unsigned`, which are at most 127, summed, exact;
   * only where `machine.dot` is "i7".
   */
  dotPairs(unsigned: Ints): Ints {
    return this.#ints("ints.dotPairs", [unsigned]);
  }
  /** Per lane: low·low + high·high of signed 16-bit halves. */
  dotHalves(b: Ints): Ints {
    return this.#ints("ints.dotHalves", [b]);
  }
  /**
   * Per lane: this + the sum of four products of signed bytes of `signed` and unsigned bytes of `unsigned`, exact.
   * `bits`: 7 promises that the unsigned bytes are at most 127, which is faster on some machines.
   */
  dotBytes(signed: Ints, unsigned: Ints, bits: 7 | 8): Ints {
    return this.tracer.dotBytes(this, signed, unsigned, bits);
  }
  toFloats(): Floats {
    return new Floats(this.tracer, this.tracer.apply("floats.fromInts", [this]));
  }
  asFloats(): Floats {
    return new Floats(this.tracer, this.tracer.apply("floats.bits", [this]));
  }
}

/** A register of W f32 numbers. */
export class Floats extends Value {
  #floats(op: OperationName, operands: readonly (Floats | number)[], immediate = 0): Floats {
    const values = operands.map((operand) => this.tracer.floats(operand));
    return new Floats(this.tracer, this.tracer.apply(op, [this, ...values], immediate));
  }
  #ints(op: OperationName, ...operands: readonly Floats[]): Ints {
    return new Ints(this.tracer, this.tracer.apply(op, [this, ...operands]));
  }
  add(b: Floats | number): Floats {
    return this.#floats("floats.add", [b]);
  }
  sub(b: Floats | number): Floats {
    return this.#floats("floats.sub", [b]);
  }
  mul(b: Floats | number): Floats {
    return this.#floats("floats.mul", [b]);
  }
  div(b: Floats | number): Floats {
    return this.#floats("floats.div", [b]);
  }
  /** this * b + c. */
  madd(b: Floats | number, c: Floats | number): Floats {
    return this.tracer.madd(this, this.tracer.floats(b), this.tracer.floats(c));
  }
  /** `b` where it is less (greater), else this. */
  min(b: Floats | number): Floats {
    return this.#floats("floats.min", [b]);
  }
  max(b: Floats | number): Floats {
    return this.#floats("floats.max", [b]);
  }
  sqrt(): Floats {
    return this.#floats("floats.sqrt", []);
  }
  abs(): Floats {
    return this.#floats("floats.abs", []);
  }
  neg(): Floats {
    return this.#floats("floats.neg", []);
  }
  /** To the nearest integer, ties to even. */
  nearest(): Floats {
    return this.#floats("floats.nearest", []);
  }
  /** Mask. */
  less(b: Floats | number): Ints {
    return this.#ints("floats.lt", this.tracer.floats(b));
  }
  /** Per lane bf16(this) | bf16(b) << 16; only where `machine.bf16`. */
  pairBf16(b: Floats): Ints {
    return this.#ints("ints.pairBf16", b);
  }
  lane(lane: number): Float {
    return new Float(this.tracer, this.tracer.apply("floats.lane", [this], lane));
  }
  /** Truncated, saturating. */
  toInts(): Ints {
    return this.#ints("ints.fromFloats");
  }
  asInts(): Ints {
    return this.#ints("ints.bits");
  }
  /** Lanes 0 .. distance - 1 get those from `distance` on; the rest are undefined. */
  rotate(distance: number): Floats {
    return this.#floats("floats.rotate", [], distance);
  }
  /** All lanes, added by halves: (0 + W/2), ... */
  sum(): Float {
    return this.tracer.sumLanes(this);
  }
  maximum(): Float {
    return this.tracer.maxLanes(this);
  }
}
