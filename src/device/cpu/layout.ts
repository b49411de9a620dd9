// Gives everything of a model an address in its one memory, in this order: control words, scratch of the threads, records
// and step tables, inputs and outputs, states, the arena, weights. Every region begins at a multiple of 64 bytes and is
// followed by 64 bytes that kernels may read and nobody writes.
import { MemoryError } from "../../base/errors.ts";
import { CONTROL_ADDRESS, CONTROL_BYTES } from "./control.ts";

export const ALIGNMENT = 64;
const PADDING = 64;
/** Bytes of scratch a thread has. */
export const SCRATCH_BYTES = 256 << 10;
const PAGE_BYTES = 65536;
/** What 32-bit addresses reach. */
export const MEMORY_BYTES_MAX = 2 ** 32;

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Hands out addresses one after another. */
export class Layout {
  #end = CONTROL_ADDRESS + CONTROL_BYTES;

  get bytes(): number {
    return this.#end;
  }

  reserve(bytes: number): number {
    const address = align(this.#end);
    this.#end = address + bytes + PADDING;
    return address;
  }
}

/** The shared memory of a model. Pages that nobody touches cost nothing. Throws MemoryError where it cannot be had. */
export function createMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  if (bytes > MEMORY_BYTES_MAX) {
    const hint = "Load it with a smaller window or fewer slots, or take a smaller quantization.";
    throw new MemoryError("The model with its cache", bytes, MEMORY_BYTES_MAX, { hint });
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new MemoryError("The model with its cache", bytes, 0, {
      cause,
      hint: "The host gives no memory of that size.",
    });
  }
}

/** How many pages of 64 KiB a memory has. */
export const pagesOf = (memory: WebAssembly.Memory): number => memory.buffer.byteLength / PAGE_BYTES;
