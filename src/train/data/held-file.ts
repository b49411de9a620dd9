// A file of ours held in memory: mapped where the host can, so that it may be larger than memory, else read in.
import { MemoryError } from "../../base/errors.ts";
import { machineFacts, native, openFile } from "#platform";

export interface HeldFile {
  /** From the file's first byte. */
  readonly bytes: Uint8Array;
  readonly close: () => void;
}

/** The first `size` bytes. Throws MemoryError where they must be read in and do not fit. */
export async function holdFile(path: string, size: number, options: { readonly map: boolean }): Promise<HeldFile> {
  const host = native();
  if (options.map && !("reason" in host)) {
    const region = host.mapFile(path);
    return { bytes: region.view, close: () => region.release() };
  }
  const { memoryAvailableBytes } = await machineFacts();
  if (size > memoryAvailableBytes) {
    throw new MemoryError(`The file ${path}`, size, memoryAvailableBytes, {
      hint: "This system cannot map files into memory; use less data or a machine with more memory.",
    });
  }
  const file = await openFile(path);
  try {
    const bytes = new Uint8Array(size);
    await file.read(0, bytes);
    return { bytes, close: () => undefined };
  } finally {
    await file.close();
  }
}
