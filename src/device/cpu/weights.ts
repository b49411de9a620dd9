// Brings weights from the parameter store into the model's memory, some rows at a time: packed for matrix products and
// row gathers, or as plain f32 where kernels read them element by element (gains, biases).
import type { OnProgress } from "../../base/progress.ts";
import { bytesForRow, formats } from "../../numeric/registry.ts";
import type { ParameterStore, StoredParameter } from "../executor.ts";
import type { Layout } from "./layout.ts";
import { GROUP_ROWS, groupBlockBytes, layouts, packedBytes, packedFormat } from "./packing/layouts.ts";
import { packGroup } from "./packing/pack.ts";

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

export async function loadWeights(
  store: ParameterStore,
  weights: ReadonlyMap<string, PlacedWeight>,
  memory: WebAssembly.Memory,
  { onProgress, signal }: { onProgress?: OnProgress | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  const total = [...weights.values()].reduce((sum, { stored }) => sum + stored.byteLength, 0);
  let done = 0;
  for (const weight of weights.values()) {
    for await (const { firstRow, rows, bytes } of readChunks(store, weight.stored)) {
      signal?.throwIfAborted();
      if (weight.packed !== undefined) packChunk(weight.stored, firstRow, rows, bytes, memory, weight.packed);
      if (weight.plain !== undefined) decodeChunk(weight.stored, firstRow, rows, bytes, memory, weight.plain);
      done += bytes.byteLength;
      onProgress?.({ label: "load", done, total, unit: "bytes" });
    }
  }
}

interface Chunk {
  readonly firstRow: number;
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Whole rows in order, a multiple of 16 of them but for the last chunk. The bytes are used again for the next one. */
async function* readChunks(store: ParameterStore, stored: StoredParameter): AsyncGenerator<Chunk> {
  const rowBytes = bytesForRow(stored.format, stored.columns);
  const groups = Math.max(1, Math.floor(CHUNK_BYTES / (rowBytes * GROUP_ROWS)));
  const most = Math.min(groups * GROUP_ROWS, stored.rows);
  const buffer = new Uint8Array(most * rowBytes);
  for (let firstRow = 0; firstRow < stored.rows; firstRow += most) {
    const rows = Math.min(most, stored.rows - firstRow);
    const bytes = buffer.subarray(0, rows * rowBytes);
    await store.readRows(stored.name, firstRow, bytes);
    yield { firstRow, rows, bytes };
  }
}

function packChunk(
  { format, columns }: StoredParameter,
  firstRow: number,
  rows: number,
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
  address: number,
): void {
  const packed = packedFormat(format);
  const layout = layouts[packed];
  const source = format === packed ? bytes : new Uint8Array(formats[format].decode(bytes, rows * columns).buffer);
  const units = new Uint16Array(source.buffer, source.byteOffset, source.byteLength / 2);
  const blocks = columns / layout.columns;
  const rowUnits = units.length / rows;
  const groupBytes = blocks * groupBlockBytes(packed);
  for (let row = 0; row < rows; row += GROUP_ROWS) {
    const at = address + ((firstRow + row) / GROUP_ROWS) * groupBytes;
    const target = new Uint16Array(memory.buffer, at, groupBytes / 2);
    packGroup(layout, units.subarray(row * rowUnits), Math.min(GROUP_ROWS, rows - row), blocks, target);
  }
}

function decodeChunk(
  { format, columns }: StoredParameter,
  firstRow: number,
  rows: number,
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
  address: number,
): void {
  const values = formats[format].decode(bytes, rows * columns);
  new Float32Array(memory.buffer, address + firstRow * columns * 4, values.length).set(values);
}
