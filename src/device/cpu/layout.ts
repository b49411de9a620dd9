// Gives everything of a model an offset in its memory, in this order: control words, scratch of the threads, records and
// step tables, inputs and outputs, states, the arena; and, counted on their own, the weights. Every region begins at a
// multiple of 64 bytes and is followed by 64 bytes that kernels may read and nobody writes.

export const ALIGNMENT = 64;
const PADDING = 64;
/** Bytes of scratch a thread has. */
export const SCRATCH_BYTES = 256 << 10;

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Hands out offsets one after another, from `first` on. */
export class Layout {
  #end: number;

  constructor(first = 0) {
    this.#end = first;
  }

  get bytes(): number {
    return this.#end;
  }

  reserve(bytes: number): number {
    const address = align(this.#end);
    this.#end = address + bytes + PADDING;
    return address;
  }
}
