// Where weights lie and how they get there: packed for matrix products and row gathers, or as plain f32 where kernels read
// them element by element (gains, biases). Their order and offsets depend on the model alone, so that an image of them
// can be kept in a file. While the threads pack one chunk the next one is read.
// Not here: the memory or the file that the image is made in (weight-targets.ts).
import type { OnProgress } from "../../base/progress.ts";
import { bytesForRow, formats } from "../../numeric/registry.ts";
import { HUGE_PAGE_BYTES } from "../../platform/native.ts";
import type { ParameterStore, StoredParameter } from "../executor.ts";
import type { Range } from "./check.ts";
import { FLOAT_BYTES } from "./kernels/loops.ts";
import { Layout } from "./layout.ts";
import { GROUP_ROWS, type PackedFormat, layouts, packedBytes, packedFormat } from "./packed-layouts.ts";
import { recode } from "./recode.ts";
import type { WeightTarget } from "./weight-targets.ts";

/** Bytes read from the store at once, and packed at once, about. */
const CHUNK_BYTES = 4 << 20;
/** The image ends at, and its parts begin at, multiples of these: what files are mapped by. */
const SMALL_PAGE_BYTES = 4096;

/** Where one weight lies in the image, in each form that some program reads. */
export interface PlacedWeight {
  readonly stored: StoredParameter;
  readonly packed?: number;
  readonly plain?: number;
}

export type WeightForm = "packed" | "plain";

/** One form of one weight. */
export interface PlacedForm {
  readonly stored: StoredParameter;
  readonly form: WeightForm;
  readonly offset: number;
}

/** All weights, one behind the other: first those that runs read whole, then those of which they read some rows. */
export interface WeightImage {
  readonly weights: ReadonlyMap<string, PlacedWeight>;
  /** By offset. */
  readonly forms: readonly PlacedForm[];
  /** Where nobody may read or write, in the checking mode. */
  readonly guards: readonly Range[];
  readonly bytes: number;
  /** Of the first part: a multiple of 2 MiB where there is a second one. */
  readonly streamedBytes: number;
}

/** Which weights programs read in which form, and which of them whole. */
export interface WeightReads {
  readonly packed: ReadonlySet<string>;
  readonly plain: ReadonlySet<string>;
  readonly whole: ReadonlySet<string>;
}

/** Depends on the model's parameters and on who reads them, and on nothing else. */
export function placeWeights(
  parameters: ReadonlyMap<string, StoredParameter>,
  { packed, plain, whole }: WeightReads,
  guardBytes = 0,
): WeightImage {
  const wanted = [...parameters.values()].flatMap((stored) => [
    ...(plain.has(stored.name) ? [{ stored, form: "plain" as const }] : []),
    ...(packed.has(stored.name) ? [{ stored, form: "packed" as const }] : []),
  ]);
  const isStreamed = ({ stored, form }: (typeof wanted)[number]): boolean => form === "plain" || whole.has(stored.name);
  const rest = wanted.filter((one) => !isStreamed(one));
  const reserve = (some: typeof wanted, layout: Layout): PlacedForm[] =>
    some.map(({ stored, form }) => ({ stored, form, offset: layout.reserve(formBytes(stored, form)) }));

  const streamed = new Layout(0, guardBytes);
  const first = reserve(wanted.filter(isStreamed), streamed);
  const streamedBytes = alignUp(streamed.bytes, rest.length > 0 ? HUGE_PAGE_BYTES : SMALL_PAGE_BYTES);
  const byRow = new Layout(streamedBytes, guardBytes);
  const forms = [...first, ...reserve(rest, byRow)];

  const weights = new Map<string, PlacedWeight>();
  for (const { stored, form, offset } of forms) {
    weights.set(stored.name, { ...weights.get(stored.name), stored, [form]: offset });
  }
  const guards = [...streamed.guards, ...byRow.guards];
  return { weights, forms, guards, bytes: alignUp(byRow.bytes, SMALL_PAGE_BYTES), streamedBytes };
}

const alignUp = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

/** Bytes of a form's rows, of one matrix; a last group of packed rows is filled up. */
function rowsBytes({ format, columns }: StoredParameter, form: WeightForm, rows: number): number {
  return form === "packed" ? packedBytes(packedFormat(format), rows, columns) : rows * columns * FLOAT_BYTES;
}

const matrixRows = ({ rows, matrices = 1 }: StoredParameter): number => rows / matrices;

const formBytes = (stored: StoredParameter, form: WeightForm): number =>
  (stored.matrices ?? 1) * rowsBytes(stored, form, matrixRows(stored));

/** Where row `row` of a form begins, which is the first of a group. */
function rowOffset(stored: StoredParameter, form: WeightForm, row: number): number {
  const [matrix, inMatrix] = [Math.floor(row / matrixRows(stored)), row % matrixRows(stored)];
  return matrix * rowsBytes(stored, form, matrixRows(stored)) + rowsBytes(stored, form, inMatrix);
}

/** Bytes of a row as it is read, or as it is when it goes to the packing kernel, whichever is more. */
const readBytes = ({ format, columns }: StoredParameter): number =>
  Math.max(bytesForRow(format, columns), bytesForRow(packedFormat(format), columns));

/** Rows of a chunk: whole groups, or all that there are; of matrices whose groups are not filled up, of several. */
function chunkRows({ stored, form }: PlacedForm): number {
  const { format, columns, rows } = stored;
  const most = Math.max(bytesForRow(format, columns) * GROUP_ROWS, rowsBytes(stored, form, GROUP_ROWS));
  const together = matrixRows(stored) % GROUP_ROWS === 0 ? rows : matrixRows(stored);
  return Math.min(Math.max(1, Math.floor(CHUNK_BYTES / most)) * GROUP_ROWS, together);
}

/** Bytes of each of the two buffers that chunks are read into, and the most that one becomes. */
export function chunkBytes(forms: readonly PlacedForm[]): { readonly read: number; readonly made: number } {
  let [read, made] = [0, 0];
  for (const placed of forms) {
    const { stored, form } = placed;
    const rows = chunkRows(placed);
    read = Math.max(read, rows * readBytes(stored));
    made = Math.max(made, rowsBytes(stored, form, rows));
  }
  return { read, made };
}

/** Rows to pack: addresses of where they are, in the packed form's format, and of where their groups go. */
export interface PackRequest {
  readonly format: PackedFormat;
  readonly source: number;
  readonly target: number;
  readonly rows: number;
  /** Blocks of a row. */
  readonly blocks: number;
}

/** First rows and counts of chunks of at most `most` rows; one that is less than a matrix ends with its matrix. */
function* chunksOf(stored: StoredParameter, most: number): Generator<readonly [number, number]> {
  const isWhole = matrixRows(stored) % GROUP_ROWS === 0;
  for (let row = 0; row < stored.rows;) {
    const end = isWhole ? stored.rows : row - (row % matrixRows(stored)) + matrixRows(stored);
    const rows = Math.min(most, end - row);
    yield [row, rows];
    row += rows;
  }
}

/** A buffer that chunks are read into. */
export interface Staging {
  readonly address: number;
  readonly view: Uint8Array;
}

export interface FillOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads all weights and makes their image. `pack` runs a packing kernel, one at a time. */
export async function fillImage(
  store: ParameterStore,
  forms: readonly PlacedForm[],
  target: WeightTarget,
  staging: readonly [Staging, Staging],
  pack: (request: PackRequest) => Promise<void>,
  { onProgress, signal }: FillOptions,
): Promise<void> {
  const total = forms.reduce((sum, { stored }) => sum + stored.byteLength, 0);
  let done = 0;
  let packing: Promise<void> = Promise.resolve();
  let buffer = 0;
  try {
    for (const placed of forms) {
      const { stored, form, offset } = placed;
      const most = chunkRows(placed);
      for (const [firstRow, rows] of chunksOf(stored, most)) {
        signal?.throwIfAborted();
        const { address, view } = staging[buffer];
        const bytes = view.subarray(0, rows * bytesForRow(stored.format, stored.columns));
        await store.readRows(stored.name, firstRow, bytes);
        await packing;
        const at = await target.place(offset + rowOffset(stored, form, firstRow), rowsBytes(stored, form, rows));
        if (form === "plain") storePlain(stored, bytes, at.view);
        else {
          const ready = recode(stored.format, bytes, rows * stored.columns);
          if (ready !== bytes) view.set(ready);
          packing = pack({ ...packRequest(stored, rows), source: address, target: at.address });
        }
        packing.catch(() => undefined); // told to whoever waits for it next
        buffer = 1 - buffer;
        done += bytes.byteLength;
        onProgress?.({ label: "load", done, total, unit: "bytes" });
      }
    }
    await packing;
    await target.end();
  } finally {
    await packing;
  }
}

function packRequest({ format, columns }: StoredParameter, rows: number) {
  const form = packedFormat(format);
  return { format: form, rows, blocks: columns / layouts[form].columns };
}

function storePlain({ format }: StoredParameter, bytes: Uint8Array, target: Uint8Array): void {
  const values = formats[format].decode(bytes, target.byteLength / FLOAT_BYTES);
  new Float32Array(target.buffer, target.byteOffset, values.length).set(values);
}
