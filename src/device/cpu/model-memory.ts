// The memory of an open model: one shared memory for all that runs, which JavaScript views too, and behind it the weights.
// For machine code the weights are a region of their own, of any size. Kernels name bytes by address: for WASM that is
// the offset in the memory, for machine code where the process has them. Not here: what lies where (place-model.ts).
import { MemoryError } from "../../base/errors.ts";
import { type Machine, createWasmMemory } from "../../lanes/index.ts";
import type { Native, NativeRegion } from "#platform";

/** Pages of a WebAssembly memory; the weights begin at one, so that a file can be mapped there. */
export const PAGE_BYTES = 65536;
/** What addresses of 32 bits reach, and what hosts give a memory of 64-bit addresses at most. */
const BYTES_MAX = { 32: 2 ** 32, 64: 2 ** 34 } as const;

export interface MemorySizes {
  /** Of everything but the weights. */
  readonly bytes: number;
  readonly weightBytes: number;
}

/** Bytes of the shared memory, the weights included where they lie in it. */
export function sharedBytes({ bytes, weightBytes }: MemorySizes, native: Native | undefined): number {
  return native === undefined ? pageAligned(bytes) + weightBytes : bytes;
}

/** How large a shared memory may be. */
export const sharedBytesMax = (word: Machine["word"]): number => BYTES_MAX[word];

const pageAligned = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

export class ModelMemory {
  /** Control words, records, tensors; its pages cost nothing until they are touched. */
  readonly shared: WebAssembly.Memory;
  /** The address of offset 0 of the shared memory, as kernels see it. */
  readonly base: number;
  /** The address of the weights, as kernels see it. */
  readonly weightBase: number;
  readonly #weights: NativeRegion | undefined;

  /** `native` where machine code runs. Throws MemoryError where the memory cannot be had. */
  constructor(sizes: MemorySizes, word: Machine["word"], native: Native | undefined) {
    const { bytes, weightBytes } = sizes;
    this.shared = createMemory(sharedBytes(sizes, native), native === undefined ? word : undefined);
    this.base = native?.addressOf(this.shared.buffer) ?? 0;
    this.#weights = weightBytes > 0 ? native?.allocate(weightBytes, { hugePages: true }) : undefined;
    this.weightBase = this.#weights?.address ?? this.base + pageAligned(bytes);
  }

  /** The bytes of weights from `offset` on. */
  weightBytes(offset: number, bytes: number): Uint8Array {
    if (this.#weights !== undefined) return this.#weights.view.subarray(offset, offset + bytes);
    return new Uint8Array(this.shared.buffer, this.weightBase + offset, bytes);
  }

  /** Gives back what JavaScript's collector does not see; all threads are gone by then. */
  release(): void {
    this.#weights?.release();
  }
}

/** `word`: that of the code which addresses the memory; without one it may be of either kind. */
function createMemory(bytes: number, word?: Machine["word"]): WebAssembly.Memory {
  const fitting = bytes > BYTES_MAX[32] ? 64 : 32;
  const hint = "Load it with a smaller window or fewer slots, or take a smaller quantization.";
  const limit = BYTES_MAX[word ?? 64];
  if (bytes > limit) throw new MemoryError("The model with its cache", bytes, limit, { hint });
  try {
    return createWasmMemory({ pages: Math.ceil(bytes / PAGE_BYTES), word: word ?? fitting, shared: true });
  } catch (cause) {
    throw new MemoryError("The model with its cache", bytes, 0, {
      cause,
      hint: "The host gives no memory of that size.",
    });
  }
}
