// What an emulated thread has: general registers, flags, vector and mask registers, tiles with their configuration,
// memory and a stack of its own. Everything that the calling convention leaves open begins as junk, so that a kernel
// that relies on it fails. Not here: what instructions do.

export const VECTOR_BYTES = 64;
/** Slots of the register file behind zmm31: sources that are not registers, and the result before it is written. */
export const SOURCE_SLOT = 32;
export const RESULT_SLOT = 38;
const SLOTS = 39;

const STACK_BASE = 0x7000_0000_0000;
const STACK_BYTES = 1 << 16;
const TILES = 8;
export const TILE_ROWS = 16;
export const TILE_ROW_BYTES = 64;

/** Flags that instructions set; undefined: the manual leaves it open, and nothing may read it. */
export interface Flags {
  carry: boolean | undefined;
  zero: boolean | undefined;
  sign: boolean | undefined;
  overflow: boolean | undefined;
  parity: boolean | undefined;
}

export interface TileShape {
  readonly rows: number;
  readonly rowBytes: number;
}

/** A fault that the real processor would end the process with. */
export class Fault extends Error {}

/** What flags are told by: of an instruction whose flags nobody may ever ask for. */
export type FlagsOf = () => Partial<Flags>;

export class State {
  readonly gpr = new BigUint64Array(16);
  /** The same, low and high words. */
  readonly gprWords = new Int32Array(this.gpr.buffer);
  /** Of the last instruction that set any. */
  #flagsOf: FlagsOf = () => ({});
  /** k0 .. k7: low and high words. */
  readonly masks = new Int32Array(16);
  readonly u8 = new Uint8Array(SLOTS * VECTOR_BYTES);
  readonly i8 = new Int8Array(this.u8.buffer);
  readonly u16 = new Uint16Array(this.u8.buffer);
  readonly i16 = new Int16Array(this.u8.buffer);
  readonly i32 = new Int32Array(this.u8.buffer);
  readonly u32 = new Uint32Array(this.u8.buffer);
  readonly f32 = new Float32Array(this.u8.buffer);
  readonly u64 = new BigUint64Array(this.u8.buffer);
  /** Of the eight tiles, once there is a configuration. */
  tileShapes: readonly TileShape[] | undefined;
  readonly tiles = Array.from({ length: TILES }, () => new Uint8Array(TILE_ROWS * TILE_ROW_BYTES));
  private readonly memory: DataView;
  private readonly pool: DataView;
  private readonly stack = new DataView(new ArrayBuffer(STACK_BYTES));

  constructor(memory: ArrayBufferLike, pool: Uint8Array) {
    this.memory = new DataView(memory);
    this.pool = new DataView(pool.buffer, pool.byteOffset, pool.byteLength);
  }

  /** Back to what a function finds when it is called. */
  forget(): void {
    this.gpr.forEach((_, i) => (this.gpr[i] = 0xdeadbeef_00000000n + BigInt(0x1010101 * i)));
    this.u32.fill(0x7fa5a5a5); // a NaN
    this.masks.fill(0x5a5a5a5a);
    this.gpr[4] = BigInt(STACK_BASE + STACK_BYTES - 4096 + 8); // as after a call: 8 more than a multiple of 16
    this.setFlags(() => ({}));
    this.tileShapes = undefined;
  }

  /** A register as an address; exact below 2^53 in magnitude, and nothing above it is memory. */
  address(register: number): number {
    return this.gprWords[2 * register + 1] * 2 ** 32 + (this.gprWords[2 * register] >>> 0);
  }

  /** Bytes from `at` of the pool (`inPool`), of the stack or of memory; throws Fault outside of them. */
  private view(at: number, bytes: number, inPool: boolean): [view: DataView, offset: number] {
    const onStack = !inPool && at >= STACK_BASE;
    const view = inPool ? this.pool : onStack ? this.stack : this.memory;
    const offset = onStack ? at - STACK_BASE : at;
    if (!(offset >= 0 && offset + bytes <= view.byteLength)) {
      const what = inPool ? "the pool" : onStack ? "the stack" : "memory";
      throw new Fault(`${bytes} bytes at ${offset} are outside of ${what} (${view.byteLength} bytes)`);
    }
    return [view, offset];
  }

  /** Copies bytes of memory into the register file. */
  read(at: number, bytes: number, slot: number, inPool = false): void {
    const [view, offset] = this.view(at, bytes, inPool);
    const to = slot * VECTOR_BYTES;
    if (bytes % 4 === 0) {
      const { i32 } = this;
      for (let i = 0; i < bytes; i += 4) i32[(to + i) >> 2] = view.getInt32(offset + i, true);
    } else {
      for (let i = 0; i < bytes; i++) this.u8[to + i] = view.getUint8(offset + i);
    }
  }

  /** Copies bytes of the register file, from the byte `from` on, to memory. */
  write(at: number, bytes: number, from: number): void {
    const [view, offset] = this.view(at, bytes, false);
    if ((bytes | from) % 4 === 0) {
      const { i32 } = this;
      for (let i = 0; i < bytes; i += 4) view.setInt32(offset + i, i32[(from + i) >> 2], true);
    } else {
      for (let i = 0; i < bytes; i++) view.setUint8(offset + i, this.u8[from + i]);
    }
  }

  /** Zeros in the register file; both are multiples of 4 bytes. */
  clear(from: number, bytes: number): void {
    const { i32 } = this;
    for (let i = from >> 2; i < (from + bytes) >> 2; i++) i32[i] = 0;
  }

  /** Copies within the register file, from left to right; all are multiples of 4 bytes. */
  copy(to: number, from: number, bytes: number): void {
    const { i32 } = this;
    for (let i = 0; i < bytes >> 2; i++) i32[(to >> 2) + i] = i32[(from >> 2) + i];
  }

  readInteger(at: number, bytes: number, inPool: boolean): bigint {
    const [view, offset] = this.view(at, bytes, inPool);
    if (bytes === 8) return view.getBigUint64(offset, true);
    if (bytes === 4) return BigInt(view.getUint32(offset, true));
    return BigInt(bytes === 2 ? view.getUint16(offset, true) : view.getUint8(offset));
  }

  writeInteger(at: number, bytes: number, value: bigint): void {
    const [view, offset] = this.view(at, bytes, false);
    if (bytes === 8) view.setBigUint64(offset, value, true);
    else if (bytes === 4) view.setUint32(offset, Number(value & 0xffffffffn), true);
    else for (let i = 0; i < bytes; i++) view.setUint8(offset + i, Number((value >> BigInt(8 * i)) & 255n));
  }

  /** One row of a tile from or to memory. */
  readRow(at: number, into: Uint8Array): void {
    const [view, offset] = this.view(at, into.length, false);
    into.set(new Uint8Array(view.buffer, view.byteOffset + offset, into.length));
  }

  writeRow(at: number, row: Uint8Array): void {
    const [view, offset] = this.view(at, row.length, false);
    new Uint8Array(view.buffer, view.byteOffset + offset, row.length).set(row);
  }

  setFlags(flagsOf: FlagsOf): void {
    this.#flagsOf = flagsOf;
  }

  /** All flags as they are now; what was not set is undefined. */
  flags(): Partial<Flags> {
    return this.#flagsOf();
  }
}
