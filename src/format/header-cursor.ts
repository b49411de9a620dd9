// Reads the header of a file whose length is not known beforehand: plain parsing steps over a buffer that is filled again
// when a step runs out of bytes (the step is then done again), and holds no more than one step needs. Every length is
// checked against the bytes that the file has, before anything of that length is made. Little-endian. Not here: what a
// header means.
import { FormatError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";
import { type TextListBuilder, shortText } from "../base/text-list.ts";

const FETCH_BYTES = 1024 * 1024;
// the largest headers in use (vocabularies of 262k tokens with their merges) take 20 MB
const HEADER_BYTES_MAX = 256 * 2 ** 20;

/** Thrown inside a step when the buffer ends; never leaves this file. */
class MoreBytes {
  readonly needed: number;
  constructor(needed: number) {
    this.needed = needed;
  }
}

/** A place in a header. `field` (with an index, in arrays) is what errors name. */
export class HeaderCursor {
  readonly #source: ByteSource;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** Bytes of the file from `#first` on. */
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #first = 0;
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Bytes read so far, counted from the start of the file. */
  get position(): number {
    return this.#at;
  }

  get bytesLeft(): number {
    return this.#source.size - this.#at;
  }

  /** Runs a parsing step, again from its start whenever more bytes had to be fetched. */
  async step<T>(parse: (cursor: this) => T): Promise<T> {
    for (;;) {
      const start = this.#at;
      try {
        return parse(this);
      } catch (signal) {
        if (!(signal instanceof MoreBytes)) throw signal;
        this.#at = start;
        await this.#fetch(signal.needed);
      }
    }
  }

  u8(field: string, index?: number): number {
    return this.#view.getUint8(this.#take(field, 1, index));
  }

  u32(field: string, index?: number): number {
    return this.#view.getUint32(this.#take(field, 4, index), true);
  }

  /** A u64 that says how many bytes or things follow; more than 2^53 of them is an error. */
  count(field: string, index?: number): number {
    const at = this.#take(field, 8, index);
    const high = this.#view.getUint32(at + 4, true);
    if (high >= 2 ** 21) this.fail(field, this.#view.getBigUint64(at, true), "a number below 2^53", index);
    return high * 2 ** 32 + this.#view.getUint32(at, true);
  }

  /** A copy of the next bytes. */
  bytes(field: string, length: number, index?: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(field, length, index);
    return this.#bytes.slice(at, at + length);
  }

  /** UTF-8 text of `length` bytes. */
  text(field: string, length: number, index?: number): string {
    const at = this.#take(field, length, index);
    const fast = shortText(this.#bytes, at, at + length);
    if (fast !== undefined) return fast;
    try {
      return this.#decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      return this.fail(field, "bytes that are no UTF-8", "UTF-8 text", index);
    }
  }

  /** Adds `length` bytes to a list of texts; whether they are UTF-8 is the caller's to check. */
  textInto(list: TextListBuilder, field: string, length: number, index: number): void {
    const at = this.#take(field, length, index);
    list.append(this.#bytes, at, at + length);
  }

  /** Throws FormatError about a field of this file. */
  fail(field: string, found: unknown, expected: string, index?: number): never {
    throw new FormatError(this.#source.name, index === undefined ? field : `${field}[${index}]`, found, expected);
  }

  /** Where in the buffer the next `length` bytes are. */
  #take(field: string, length: number, index: number | undefined): number {
    const at = this.#at;
    const end = at + length;
    if (end > this.#first + this.#bytes.byteLength) {
      if (length > this.bytesLeft) {
        this.fail(
          field,
          `${length} bytes at ${at}`,
          `at most the ${this.bytesLeft} bytes that are left (is it cut off?)`,
          index,
        );
      }
      if (end > HEADER_BYTES_MAX) {
        this.fail(field, `at byte ${end}`, `a header of at most ${HEADER_BYTES_MAX} bytes`, index);
      }
      throw new MoreBytes(end);
    }
    this.#at = end;
    return at - this.#first;
  }

  /** Makes the buffer begin where the step does, and reach the byte `needed`; a step that asks again gets twice as much. */
  async #fetch(needed: number): Promise<void> {
    const start = this.#at;
    const had = this.#bytes.subarray(start - this.#first);
    const size = Math.max(FETCH_BYTES, 2 * had.byteLength, needed - start);
    const length = Math.min(size, this.#source.size - start, HEADER_BYTES_MAX - start);
    const { buffer } = this.#bytes;
    const bytes = length <= buffer.byteLength ? new Uint8Array(buffer, 0, length) : new Uint8Array(length);
    bytes.set(had); // may be the same memory: set copies as if by way of another
    await this.#source.read(start + had.byteLength, bytes.subarray(had.byteLength));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#first = start;
  }
}
