// Brings weights from the parameter store into the model's memory, some rows at a time: packed for matrix products and
// row gathers, or as plain f32 where kernels read them element by element (gains, biases). While the threads pack one
// chunk the next one is read.
import type { OnProgress } from "../../base/progress.ts";
import { bytesForRow, formats } from "../../numeric/registry.ts";
import type { ParameterStore, StoredParameter } from "../executor.ts";
import type { Layout } from "./layout.ts";
import type { ModelMemory } from "./model-memory.ts";
import {
  GROUP_ROWS,
  type PackedFormat,
  groupBlockBytes,
  layouts,
  packedBytes,
  packedFormat,
} from "./packed-layouts.ts";

/** Bytes read from the store at once, about. */
const CHUNK_BYTES = 4 << 20;

/** Where one weight lies, in each form that some program reads. */
export interface PlacedWeight {
  readonly stored: StoredParameter;
  readonly packed?: number;
  readonly plain?: number;
}

/** Reserves the places of weights. `packed` and `plain`: names of those that are read in that form. */
export function placeWeights(
  parameters: ReadonlyMap<string, StoredParameter>,
  packed: ReadonlySet<string>,
  plain: ReadonlySet<string>,
  layout: Layout,
): Map<string, PlacedWeight> {
  const placed = [...parameters].map(([name, stored]) => {
    const { format, rows, columns } = stored;
    return [
      name,
      {
        stored,
        ...(packed.has(name) && { packed: layout.reserve(packedBytes(packedFormat(format), rows, columns)) }),
        ...(plain.has(name) && { plain: layout.reserve(rows * columns * Float32Array.BYTES_PER_ELEMENT) }),
      },
    ] as const;
  });
  return new Map(placed);
}

/** Rows of a chunk: whole groups, or all that there are. */
function chunkRows({ format, columns, rows }: StoredParameter): number {
  const groups = Math.max(1, Math.floor(CHUNK_BYTES / (bytesForRow(format, columns) * GROUP_ROWS)));
  return Math.min(groups * GROUP_ROWS, rows);
}

/** Bytes of each of the two buffers that chunks are read into. */
export function stagingBytes(parameters: Iterable<StoredParameter>): number {
  return [...parameters].reduce((most, stored) => {
    return Math.max(most, chunkRows(stored) * bytesForRow(stored.format, stored.columns));
  }, 0);
}

/** Rows to pack, at an offset in the memory, and where among the weights their groups go. */
export interface PackRequest {
  readonly format: PackedFormat;
  readonly source: number;
  readonly target: number;
  readonly rows: number;
  /** Blocks of a row. */
  readonly blocks: number;
}

export interface LoadOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads all weights. `staging`: offsets of two buffers; `pack` runs a packing kernel, one at a time. */
export async function loadWeights(
  store: ParameterStore,
  weights: ReadonlyMap<string, PlacedWeight>,
  memory: ModelMemory,
  staging: readonly [number, number],
  pack: (request: PackRequest) => Promise<void>,
  { onProgress, signal }: LoadOptions,
): Promise<void> {
  const total = [...weights.values()].reduce((sum, { stored }) => sum + stored.byteLength, 0);
  let done = 0;
  let packing: Promise<void> = Promise.resolve();
  let buffer = 0;
  try {
    for (const { stored, packed, plain } of weights.values()) {
      const most = chunkRows(stored);
      for (let firstRow = 0; firstRow < stored.rows; firstRow += most) {
        signal?.throwIfAborted();
        const rows = Math.min(most, stored.rows - firstRow);
        const byteLength = rows * bytesForRow(stored.format, stored.columns);
        const bytes = new Uint8Array(memory.shared.buffer, staging[buffer], byteLength);
        await store.readRows(stored.name, firstRow, bytes);
        if (plain !== undefined) storePlain(stored, firstRow, rows, bytes, memory, plain);
        await packing;
        if (packed !== undefined) packing = pack(packRequest(stored, firstRow, rows, bytes, packed));
        buffer = 1 - buffer;
        done += byteLength;
        onProgress?.({ label: "load", done, total, unit: "bytes" });
      }
    }
  } finally {
    await packing;
  }
}

function packRequest(
  { format, columns }: StoredParameter,
  firstRow: number,
  rows: number,
  bytes: Uint8Array,
  packed: number,
): PackRequest {
  const form = packedFormat(format);
  const blocks = columns / layouts[form].columns;
  if (form !== format) {
    // fewer bytes than before: f64, which no kernel reads, becomes f32 in its place
    const values = formats[format].decode(bytes, rows * columns);
    new Float32Array(bytes.buffer, bytes.byteOffset, values.length).set(values);
  }
  const target = packed + (firstRow / GROUP_ROWS) * blocks * groupBlockBytes(form);
  return { format: form, source: bytes.byteOffset, target, rows, blocks };
}

function storePlain(
  { format, columns }: StoredParameter,
  firstRow: number,
  rows: number,
  bytes: Uint8Array,
  memory: ModelMemory,
  plain: number,
): void {
  const values = formats[format].decode(bytes, rows * columns);
  const place = memory.weightBytes(plain + firstRow * columns * 4, values.length * 4);
  new Float32Array(place.buffer, place.byteOffset, values.length).set(values);
}
