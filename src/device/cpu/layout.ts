// Gives everything of a model an offset in its memory, in this order: control words, scratch of the threads, records and
// step tables, inputs and outputs, states, the arena; and, counted on their own, the weights. Every region begins at a
// multiple of 64 bytes and is followed by 64 bytes that kernels may read and nobody writes.
import type { Range } from "./check.ts";

export const ALIGNMENT = 64;
const PADDING = 64;
/** Bytes of a thread's scratch that kernels plan with: what the second cache level has beside what they read. */
export const SCRATCH_BYTES = 256 << 10;
/** Bytes of scratch a thread has: tile products keep the sums of 512 rows there. Untouched pages cost nothing. */
export const THREAD_SCRATCH_BYTES = 640 << 10;

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/**
 * Hands out offsets one after another, from `first` on. With `guardBytes`, a page's, the padding behind every region ends
 * where a guard begins, and one lies before it.
 */
export class Layout {
  readonly guards: Range[] = [];
  readonly #guardBytes: number;
  #end: number;

  constructor(first = 0, guardBytes = 0) {
    this.#end = first;
    this.#guardBytes = guardBytes;
  }

  get bytes(): number {
    return this.#end;
  }

  reserve(bytes: number): number {
    if (this.#guardBytes > 0) return this.#reserveGuarded(align(bytes) + PADDING);
    const address = align(this.#end);
    this.#end = address + bytes + PADDING;
    return address;
  }

  #reserveGuarded(bytes: number): number {
    const page = this.#guardBytes;
    const previous = this.guards.at(-1);
    if (previous === undefined || previous.offset + previous.bytes !== this.#end) this.#guard();
    const end = Math.ceil((this.#end + bytes) / page) * page;
    this.#end = end;
    this.#guard();
    return end - bytes;
  }

  #guard(): void {
    const page = this.#guardBytes;
    const offset = Math.ceil(this.#end / page) * page;
    this.guards.push({ offset, bytes: page });
    this.#end = offset + page;
  }
}
