// The memory of an open model: one shared memory for all that runs, which JavaScript views too, and behind it the weights.
// For machine code the weights are a region of their own, of any size. Kernels name bytes by address: for WASM that is
// the offset in the memory, for machine code where the process has them. Not here: what lies where (place-model.ts).
import { MemoryError } from "../../base/errors.ts";
import { type Machine, createWasmMemory } from "../../lanes/index.ts";
import { HUGE_PAGE_BYTES } from "../../platform/native.ts";
import { type Native, type NativeRegion, native as hostNative, now, sharesMemory } from "#platform";
import type { PackFile } from "../../store/pack-cache.ts";
import { type Check, poison, protectGuards } from "./check.ts";
import type { Place } from "./weight-targets.ts";
import type { WeightImage } from "./weights.ts";

/** Pages of a WebAssembly memory; the weights begin at one, so that a file can be mapped there. */
export const PAGE_BYTES = 65536;
/** What addresses of 32 bits reach, and what hosts give a memory of 64-bit addresses at most. */
const BYTES_MAX = { 32: 2 ** 32, 64: 2 ** 34 } as const;

/** Mapped weights are brought into memory so many bytes at once; longer than this and it is the disk that we wait for. */
const POPULATE_BYTES = 64 << 20;
const POPULATE_QUICK_MS = 4;

export interface MemorySizes {
  /** Of everything but the weights. */
  readonly bytes: number;
  readonly image: Pick<WeightImage, "bytes" | "streamedBytes" | "guards">;
  readonly check?: Check;
}

/** Bytes of the shared memory, the weights included where they lie in it. */
export function sharedBytes({ bytes, image }: MemorySizes, native: Native | undefined): number {
  // the weights are put where the process has a multiple of a huge page, which may be up to one page further
  return native === undefined ? pageAligned(bytes) + HUGE_PAGE_BYTES + image.bytes : bytes;
}

/** How large a shared memory may be. */
export const sharedBytesMax = (word: Machine["word"]): number => BYTES_MAX[word];

const pageAligned = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

export class ModelMemory {
  /** Control words, records, tensors; its pages cost nothing until they are touched. */
  readonly shared: WebAssembly.Memory;
  /** The address of offset 0 of the shared memory, as kernels see it. */
  readonly base: number;
  readonly #image: MemorySizes["image"];
  /** Who maps files; runs machine code too where `#apart`. */
  readonly #host: Native | undefined;
  /** Whether the weights are no part of the shared memory. */
  readonly #apart: boolean;
  #weightBase: number;
  readonly #regions: NativeRegion[] = [];
  /** Whether the weights are a file's pages. */
  #mapped = false;

  /** `native` where machine code runs. Throws MemoryError where the memory cannot be had. */
  constructor(sizes: MemorySizes, word: Machine["word"], native: Native | undefined) {
    this.shared = createMemory(sharedBytes(sizes, native), native === undefined ? word : undefined);
    this.base = native?.addressOf(this.shared.buffer) ?? 0;
    this.#image = sizes.image;
    this.#apart = native !== undefined;
    const host = hostNative();
    this.#host = "reason" in host ? undefined : host;
    const start = this.#host?.addressOf(this.shared.buffer) ?? 0;
    // the cache of keys and values is streamed as weights are
    if (sizes.check === undefined) this.#host?.preferHugePages(start, this.shared.buffer.byteLength);
    if (sizes.check !== undefined && this.#host !== undefined) {
      poison(this.shared.buffer, sizes.check.poisoned);
      protectGuards(this.#host, start, sizes.check.guards);
    }
    this.#weightBase = Math.ceil((start + pageAligned(sizes.bytes)) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES - start;
  }

  /** The address of the weights, as kernels see it; it stands once they are allocated or mapped. */
  get weightBase(): number {
    return this.#weightBase;
  }

  get canMap(): boolean {
    return this.#host !== undefined;
  }

  /** Gives the weights memory of zeros. */
  allocateWeights(): void {
    if (this.#host === undefined) return;
    if (this.#apart && this.#image.bytes > 0) {
      this.release();
      const region = this.#host.allocate(this.#image.bytes, { hugePages: true });
      this.#regions.push(region);
      this.#weightBase = region.address;
    }
    protectGuards(this.#host, this.#weightAt, this.#image.guards);
  }

  /** Maps a file's data as the weights; false where the host cannot. What runs read by row stays out until it is read. */
  mapWeights({ path, dataOffset }: PackFile): boolean {
    if (this.#host === undefined) return false;
    const { bytes, streamedBytes } = this.#image;
    if (this.#apart) this.allocateWeights(); // an address range, whose pages the file takes
    const at = this.#weightAt;
    const parts = [
      { first: 0, length: streamedBytes, hugePages: true },
      { first: streamedBytes, length: bytes - streamedBytes, hugePages: false },
    ];
    try {
      for (const { first, length, hugePages } of parts.filter((part) => part.length > 0)) {
        const options = { offset: dataOffset + first, bytes: length, hugePages, at: at + first };
        const region = this.#host.mapFile(path, options);
        if (!this.#apart) this.#regions.push(region); // else the range's own release does it
      }
    } catch {
      this.release();
      return false;
    }
    this.#mapped = true;
    return true;
  }

  /** Where the process has the weights. */
  get #weightAt(): number {
    return this.#apart ? this.#weightBase : this.#host!.addressOf(this.shared.buffer) + this.#weightBase;
  }

  /** Brings the first bytes of mapped weights into memory, so that no run waits for them; `report` hears how many. */
  async populateWeights(bytes: number, report: (done: number) => void, signal?: AbortSignal): Promise<void> {
    const at = this.#weightAt;
    for (let done = 0; done < bytes; done += POPULATE_BYTES) {
      signal?.throwIfAborted();
      const startMs = now();
      this.#host!.populate(at + done, Math.min(POPULATE_BYTES, bytes - done));
      report(Math.min(done + POPULATE_BYTES, bytes));
      // from a disk it takes a while: let others on this thread go on
      if (now() - startMs > POPULATE_QUICK_MS) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Weights that are a mapped file become memory of the process, byte for byte, also while they are being read. */
  ownWeights(): void {
    if (!this.#mapped) return;
    this.#mapped = false;
    this.#host!.ownPages(this.#weightAt, this.#image.bytes);
  }

  /** The bytes of weights from `offset` on. */
  weightBytes(offset: number, bytes: number): Uint8Array {
    if (this.#apart) return this.#regions[0].view.subarray(offset, offset + bytes);
    return new Uint8Array(this.shared.buffer, this.#weightBase + offset, bytes);
  }

  weightPlace(offset: number, bytes: number): Place {
    return { address: this.#weightBase + offset, view: this.weightBytes(offset, bytes) };
  }

  /** A part of the shared memory. */
  place(offset: number, bytes: number): Place {
    return { address: this.base + offset, view: new Uint8Array(this.shared.buffer, offset, bytes) };
  }

  /** Gives pages of the shared memory back, where the host can: what was there is zero afterwards, or as it was. */
  discard(offset: number, bytes: number): void {
    this.#host?.discard(this.#host.addressOf(this.shared.buffer) + offset, bytes);
  }

  /** Gives back what JavaScript's collector does not see; all threads are gone by then. */
  release(): void {
    this.#mapped = false;
    for (const region of this.#regions.splice(0)) region.release();
  }
}

/** `word`: that of the code which addresses the memory; without one it may be of either kind. */
function createMemory(bytes: number, word?: Machine["word"]): WebAssembly.Memory {
  const fitting = bytes > BYTES_MAX[32] ? 64 : 32;
  const hint = "Load it with a smaller window or fewer slots, or take a smaller quantization.";
  const limit = BYTES_MAX[word ?? 64];
  if (bytes > limit) throw new MemoryError("The model with its cache", bytes, limit, { hint });
  try {
    return createWasmMemory({ pages: Math.ceil(bytes / PAGE_BYTES), word: word ?? fitting, shared: sharesMemory() });
  } catch (cause) {
    throw new MemoryError("The model with its cache", bytes, 0, {
      cause,
      hint: "The host gives no memory of that size.",
    });
  }
}
