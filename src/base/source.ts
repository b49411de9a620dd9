// A byte source is random-access bytes of a known size: a file, a range of one, or memory. Formats read through it,
// so that no whole model file ever enters the JS heap.
import { FormatError } from "./errors.ts";

export interface ByteSource {
  /** Shown in errors: a path or a name. */
  readonly name: string;
  readonly size: number;
  /** Fills `into` with the bytes at `offset`; rejects with FormatError when they are not all there. */
  read(offset: number, into: Uint8Array): Promise<void>;
  /** Absent where nobody can tell whether the bytes are still those that were opened. */
  readonly state?: SourceState;
  close(): Promise<void>;
}

/** What tells a file from any other and from itself before a change, as a text: which one it is, its size, its times. */
export interface SourceState {
  /** When it was opened. */
  readonly opened: string;
  /** Of the same file, whatever has its name by now. */
  now(): Promise<string>;
}

/** A source over bytes in memory. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    // async, so that a range error is a rejection like every other source's
    async read(offset, into) {
      checkRange(name, bytes.byteLength, offset, into.byteLength);
      into.set(bytes.subarray(offset, offset + into.byteLength));
    },
    async close() {},
  };
}

/** Throws FormatError unless [offset, offset + length) lies inside `size` bytes. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || length < 0 || offset + length > size) {
    throw new FormatError(name, "byte range", `${offset}..${offset + length}`, `a range inside ${size} bytes`);
  }
}
