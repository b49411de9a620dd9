// Where the image of a model's weights is made, in its order: in the memory that kernels will read it from, written to a
// file besides where one is kept; or in two small windows that go to a file, which is mapped afterwards, so that making
// it takes no more memory than the windows. Files are written in multiples of 2 MiB: so the system caches them in pages
// of that size, which a mapping then has (bench/RESULTS.md, mapped weights).
import type { PackWriter } from "../../store/pack-cache.ts";

/** Bytes of the image, as kernels and as JavaScript name them. */
export interface Place {
  readonly address: number;
  readonly view: Uint8Array;
}

export interface WeightTarget {
  /** Where the image's bytes from `offset` on are to be put: behind those before, which are complete by now. */
  place(offset: number, bytes: number): Promise<Place>;
  /** All that will be put is there: what is behind it is zero. */
  end(): Promise<void>;
}

const WRITE_BYTES = 2 << 20;
/** Writes from memory are gathered to so much, at least. */
const WRITE_LEAST_BYTES = 8 << 20;

/** A file refused bytes: the image is made without one. */
export class WriteFailure extends Error {}

const write = (writer: PackWriter, bytes: Uint8Array): Promise<void> =>
  writer.append(bytes).catch((cause: unknown) => {
    throw new WriteFailure((cause as Error).message, { cause });
  });

/** In fresh memory, whose bytes are zero; `memory` gives the place of a part of it. */
export function memoryTarget(
  imageBytes: number,
  memory: (offset: number, bytes: number) => Place,
  writer?: PackWriter,
): WeightTarget {
  let written = 0;
  let writing: Promise<void> = Promise.resolve();
  /** Begins to write up to `end`, after what is being written. */
  const writeTo = async (end: number): Promise<void> => {
    if (writer === undefined || end === written) return;
    await writing;
    writing = write(writer, memory(written, end - written).view);
    writing.catch(() => undefined); // told to whoever waits for it next
    written = end;
  };
  return {
    async place(offset, bytes) {
      if (offset - written >= WRITE_LEAST_BYTES) await writeTo(Math.floor(offset / WRITE_BYTES) * WRITE_BYTES);
      return memory(offset, bytes);
    },
    async end() {
      await writeTo(imageBytes);
      await writing;
    },
  };
}

/** Bytes of a window for chunks of at most `chunkBytes`. */
export const windowBytes = (chunkBytes: number): number => WRITE_BYTES + Math.max(chunkBytes, WRITE_BYTES);

/** In two windows by turns: while the file takes one, the other is filled. */
export function windowTarget(imageBytes: number, windows: readonly [Place, Place], writer: PackWriter): WeightTarget {
  const size = windows[0].view.byteLength;
  const writes: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];
  let current = 0;
  let start = 0; // offset of the current window
  let end = 0; // of what is in it

  /** Writes whole pages of the current window and goes on in the other one, with the bytes that are left. */
  const turn = async (): Promise<void> => {
    const next = 1 - current;
    const kept = Math.floor(end / WRITE_BYTES) * WRITE_BYTES;
    await writes[next];
    const { view } = windows[current];
    windows[next].view.set(view.subarray(kept - start, end - start));
    writes[current] = write(writer, view.subarray(0, kept - start));
    writes[current].catch(() => undefined); // told to whoever waits for it next
    start = kept;
    current = next;
  };
  /** Puts zeros between what is there and `offset`. */
  const skipTo = async (offset: number): Promise<void> => {
    while (end < offset) {
      const until = Math.min(offset, start + size);
      windows[current].view.fill(0, end - start, until - start);
      end = until;
      if (end < offset) await turn();
    }
  };
  return {
    async place(offset, bytes) {
      await skipTo(offset);
      if (offset + bytes > start + size) await turn();
      const { address, view } = windows[current];
      end = offset + bytes;
      return { address: address + offset - start, view: view.subarray(offset - start, end - start) };
    },
    async end() {
      await skipTo(imageBytes);
      await Promise.all(writes);
      await write(writer, windows[current].view.subarray(0, end - start));
    },
  };
}
