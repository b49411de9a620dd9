// The head of a file of packed weights: magic, version, checksums, and a JSON text that names the model and all that the
// data depends on; the data follows at the next multiple of 2 MiB, up to the file's end. Little-endian.
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";

export interface PackHeader {
  readonly model: string;
  readonly text: string;
  readonly dataBytes: number;
  readonly dataOffset: number;
  /** CRC-32 of the data. */
  readonly dataCheck: number;
}

/** A huge page of x64. */
const DATA_ALIGNMENT = 2 << 20;

const MAGIC = "liangpak";
const VERSION = 1;
/** Offsets in the fixed part: magic 0, then u32s. */
const At = { version: 8, jsonBytes: 12, jsonCheck: 16, dataCheck: 20, json: 24 } as const;
const JSON_BYTES_MAX = 64 << 20;
const CHECK_BYTES = 4 << 20;

export function encodeHeader(
  header: Pick<PackHeader, "model" | "text" | "dataBytes">,
  dataCheck: number,
): { readonly bytes: Uint8Array; readonly dataOffset: number } {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(At.json + text.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(At.version, VERSION, true);
  view.setUint32(At.jsonBytes, text.byteLength, true);
  view.setUint32(At.jsonCheck, crc32(text), true);
  view.setUint32(At.dataCheck, dataCheck, true);
  bytes.set(text, At.json);
  return { bytes, dataOffset: dataOffsetOf(text.byteLength) };
}

const dataOffsetOf = (jsonBytes: number): number => Math.ceil((At.json + jsonBytes) / DATA_ALIGNMENT) * DATA_ALIGNMENT;

/** Undefined unless all of the head is there and right and the file is as long as it says. */
export async function readHeader(handle: FileHandle): Promise<PackHeader | undefined> {
  const { size } = await handle.stat();
  const fixed = await readAt(handle, 0, At.json);
  if (fixed === undefined || new TextDecoder().decode(fixed.subarray(0, At.version)) !== MAGIC) return undefined;
  const view = new DataView(fixed.buffer);
  const jsonBytes = view.getUint32(At.jsonBytes, true);
  if (view.getUint32(At.version, true) !== VERSION || jsonBytes > Math.min(JSON_BYTES_MAX, size)) return undefined;
  const text = await readAt(handle, At.json, jsonBytes);
  if (text === undefined || crc32(text) !== view.getUint32(At.jsonCheck, true)) return undefined;
  // the check says that it is what encodeHeader wrote
  const header = JSON.parse(new TextDecoder().decode(text)) as Pick<PackHeader, "model" | "text" | "dataBytes">;
  const dataOffset = dataOffsetOf(jsonBytes);
  if (size !== dataOffset + header.dataBytes) return undefined;
  return { ...header, dataOffset, dataCheck: view.getUint32(At.dataCheck, true) };
}

/** Whether the data is what was written: reads all of it. */
export async function checkedData(handle: FileHandle, header: PackHeader): Promise<boolean> {
  let crc = 0;
  for (let at = 0; at < header.dataBytes; at += CHECK_BYTES) {
    const bytes = await readAt(handle, header.dataOffset + at, Math.min(CHECK_BYTES, header.dataBytes - at));
    if (bytes === undefined) return false;
    crc = crc32(bytes, crc);
  }
  return crc === header.dataCheck;
}

/** Undefined where the file ends before. */
async function readAt(handle: FileHandle, at: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return bytes;
}
