// What the first bytes of a picture's file say: which format it is and how many pixels it has, before any is decoded.
import { FormatError } from "../base/errors.ts";
import type { Size } from "./pixels.ts";

export type PictureFormat = "png" | "jpeg" | "webp";

export interface PictureHeader extends Size {
  readonly format: PictureFormat;
}

/** Throws FormatError for bytes that are none of the formats, or whose header is cut short. `file`: shown in errors. */
export function readHeader(bytes: Uint8Array, file: string): PictureHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (offset: number, length: number): string =>
    String.fromCharCode(...bytes.subarray(offset, offset + length));
  try {
    if (text(0, 8) === "\x89PNG\r\n\x1a\n" && text(12, 4) === "IHDR") {
      return { format: "png", width: view.getUint32(16), height: view.getUint32(20) };
    }
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return { format: "jpeg", ...jpegSize(view, file) };
    if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") {
      return { format: "webp", ...webpSize(view, text(12, 4), file) };
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a read behind the end
    throw new FormatError(file, "the picture", `cut short after ${bytes.length} bytes`, "a whole file");
  }
  const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new FormatError(file, "the start", start, "a PNG, JPEG or WebP picture");
}

/** Frame headers; the three codes between them say other things (ITU T.81, table B.1). */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

function jpegSize(view: DataView, file: string): Size {
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) throw new FormatError(file, `byte ${at}`, view.getUint8(at), "a JPEG marker (255)");
    const marker = view.getUint8(at + 1);
    if (marker === 0xff)
      at++; // filling
    else if (isFrame(marker)) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
}

/** RFC 9649: lossy frames, lossless ones, and files of several parts. */
function webpSize(view: DataView, chunk: string, file: string): Size {
  if (chunk === "VP8 ") return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (chunk === "VP8L") {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (chunk !== "VP8X") throw new FormatError(file, "the WebP's first part", chunk, "VP8, VP8L or VP8X");
  const isAnimated = (view.getUint8(20) & 2) !== 0;
  if (isAnimated) throw new FormatError(file, "the WebP", "an animation", "one picture");
  const side = (offset: number): number => (view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16)) + 1;
  return { width: side(24), height: side(27) };
}
