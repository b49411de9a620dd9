// Gives a model its weights: from the file in which they were kept packed, mapped where the host can and read else; or
// from the model's own file, packed by the threads, and kept for the next start where that is wanted and there is room.
// Not here: what kept files are called and when they go (store/pack-cache.ts), packing itself (weights.ts).
import { openFile } from "#platform";
import type { PackCache, PackDescription, PackFile, PackWriter } from "../../store/pack-cache.ts";
import type { OpenOptions, OpenWeights, ParameterStore } from "../executor.ts";
import type { ModelMemory } from "./model-memory.ts";
import { LAYOUT_VERSION } from "./packed-layouts.ts";
import { type Place, WriteFailure, memoryTarget, windowTarget } from "./weight-targets.ts";
import { type FillOptions, type PackRequest, type WeightImage, fillImage } from "./weights.ts";

/** Bytes read at once from a kept file that cannot be mapped. */
const READ_BYTES = 8 << 20;

export interface OpenedWeights {
  readonly how: OpenWeights;
  /** Resolves when the file that is being kept is on the disk, or is not, which `how` tells by then. */
  readonly kept?: Promise<void>;
}

/** What a kept file would hold, and whether that is still what is read from the model's files. */
export interface ImageDescription extends PackDescription {
  isUnchanged(): Promise<boolean>;
}

/** Undefined where nothing is kept. */
export async function describeImage(
  store: ParameterStore,
  image: WeightImage,
  packs: PackCache | undefined,
): Promise<ImageDescription | undefined> {
  if (packs === undefined || image.bytes < packs.bytesLeast) return undefined;
  const origin = await store.origin?.();
  if (origin === undefined) return undefined;
  const forms = image.forms.map(({ stored, form, offset }) => {
    const { name, format, rows, columns, matrices } = stored;
    return [name, form, format, rows, columns, offset, ...(matrices === undefined ? [] : [matrices])];
  });
  const text = JSON.stringify({ layout: LAYOUT_VERSION, source: origin.description, forms, bytes: image.bytes });
  return { model: origin.path, text, dataBytes: image.bytes, isUnchanged: () => origin.isUnchanged() };
}

/** Where weights are while they are made, and who makes them. */
export interface Packer {
  readonly staging: readonly [Place, Place];
  readonly windows: readonly [Place, Place];
  /** Runs a packing kernel, one at a time. */
  pack(request: PackRequest): Promise<void>;
}

/**
 * The weights of a file that was found; undefined where another process has replaced or removed it since, so that what
 * was read may be another program's.
 */
export async function openFound(
  file: PackFile,
  isThere: () => Promise<boolean>,
  image: WeightImage,
  memory: ModelMemory,
  options: FillOptions,
): Promise<OpenedWeights | undefined> {
  try {
    const opened = await openKept(file, image, memory, options);
    return (await isThere()) ? opened : undefined;
  } catch (error) {
    if (options.signal?.aborted === true || (await isThere())) throw error;
    return undefined;
  }
}

/** Puts a kept file's weights where kernels find them. */
export async function openKept(
  file: PackFile,
  image: WeightImage,
  memory: ModelMemory,
  { onProgress, signal }: FillOptions,
): Promise<OpenedWeights> {
  const report = (done: number): void => onProgress?.({ label: "load", done, total: image.bytes, unit: "bytes" });
  if (memory.mapWeights(file)) {
    await memory.populateWeights(image.streamedBytes, report, signal);
    report(image.bytes);
    return { how: { from: "mapped" } };
  }
  memory.allocateWeights();
  const source = await openFile(file.path);
  try {
    for (let at = 0; at < image.bytes; at += READ_BYTES) {
      signal?.throwIfAborted();
      const bytes = Math.min(READ_BYTES, image.bytes - at);
      await source.read(file.dataOffset + at, memory.weightBytes(at, bytes));
      report(at + bytes);
    }
  } finally {
    await source.close();
  }
  return { how: { from: "read" } };
}

/** Packs the model's weights, and keeps them where `description` says what they are. */
export async function openStored(
  store: ParameterStore,
  image: WeightImage,
  memory: ModelMemory,
  packer: Packer,
  description: ImageDescription | undefined,
  options: Pick<OpenOptions, "packs" | "onProgress" | "signal">,
): Promise<OpenedWeights> {
  const { staging, windows } = packer;
  const pack = (request: PackRequest): Promise<void> => packer.pack(request);
  const created = description === undefined ? undefined : await options.packs?.create(description);
  const refused = created !== undefined && "refused" in created ? created.refused : undefined;
  const writer = created !== undefined && !("refused" in created) ? created : undefined;
  const inMemory = async (into?: PackWriter): Promise<void> => {
    memory.allocateWeights();
    const target = memoryTarget(image.bytes, (offset, bytes) => memory.weightPlace(offset, bytes), into);
    await fillImage(store, image.forms, target, staging, pack, options);
  };
  if (writer === undefined || description === undefined) {
    await inMemory();
    return { how: { from: "packed", ...(refused !== undefined && { note: refused }) } };
  }
  try {
    if (memory.canMap) {
      await fillImage(store, image.forms, windowTarget(image.bytes, windows, writer), staging, pack, options);
      if (!memory.mapWeights(writer.file)) throw new WriteFailure("the file cannot be mapped");
      await memory.populateWeights(image.streamedBytes, () => undefined, options.signal);
    } else await inMemory(writer);
  } catch (error) {
    await writer.discard();
    if (!(error instanceof WriteFailure)) throw error;
    await inMemory();
    return { how: { from: "packed", note: `Packed weights are not kept: ${error.message}.` } };
  }
  const how: { from: "packed"; note?: string } = { from: "packed" };
  if (!(await description.isUnchanged())) {
    await writer.discard();
    how.note = "Packed weights are not kept: the model's files changed while they were read.";
    return { how };
  }
  // the disk takes its time while the model runs already
  const kept = writer.finish().catch((error: unknown) => {
    how.note = `Packed weights are not kept: ${(error as Error).message}.`;
    try {
      // what a disk refused is gone as soon as its pages leave the system's cache
      memory.ownWeights();
    } catch (cause) {
      how.note += ` They are in danger while the model is open, close it: ${(cause as Error).message}`;
    }
  });
  return { how, kept };
}
