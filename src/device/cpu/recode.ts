// Stored rows in the packed form's own number format, where their format has no kernels: the same weights bit for bit
// (packed-layouts.ts says which form), but f64, which is rounded.
import { q3AsQ6 } from "../../numeric/q3-k.ts";
import { type FormatName, formats } from "../../numeric/registry.ts";
import { type PackedFormat, packedFormat } from "./packed-layouts.ts";

const RECODERS: Readonly<Partial<Record<FormatName, (bytes: Uint8Array) => Uint8Array>>> = {
  q3_k: q3AsQ6,
};

/** `count` weights of `format`, as the packing kernel of `packedFormat(format)` reads them. */
export function recode(format: FormatName, bytes: Uint8Array, count: number): Uint8Array {
  const form: PackedFormat = packedFormat(format);
  if (form === format) return bytes;
  return RECODERS[format]?.(bytes) ?? formats[form].encode!(formats[format].decode(bytes, count));
}
