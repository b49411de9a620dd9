// Base symbols of byte-level BPE: the 256 bytes, numbered by the code points of the characters that spell them ("!" is
// 0), as the tokenizers library numbers them. Not here: the alphabet itself (../byte-alphabet.ts).
import { characterOfByte } from "../byte-alphabet.ts";
import type { FillSymbols } from "./symbol-cells.ts";

export const BYTE_COUNT = 256;
/** UTF-8 bytes of a UTF-16 unit, at most. */
export const BYTES_PER_UNIT = 3;

/** Bytes by id. */
export const bytesById: readonly number[] = Array.from({ length: BYTE_COUNT }, (_, byte) => byte).sort(
  (a, b) => characterOfByte(a).charCodeAt(0) - characterOfByte(b).charCodeAt(0),
);

const idOfByte = new Uint8Array(BYTE_COUNT);
for (const [id, byte] of bytesById.entries()) idOfByte[byte] = id;

/** Units as UTF-8; well-formed. */
export const fillBytes: FillSymbols = (units, start, end, into, from) => {
  let at = from;
  for (let i = start; i < end; i++) {
    const unit = units[i];
    if (unit < 0x80) {
      into[at++] = idOfByte[unit];
    } else if (unit < 0x800) {
      into[at++] = idOfByte[0xc0 | (unit >> 6)];
      into[at++] = idOfByte[0x80 | (unit & 0x3f)];
    } else if ((unit & 0xf800) !== 0xd800) {
      into[at++] = idOfByte[0xe0 | (unit >> 12)];
      into[at++] = idOfByte[0x80 | ((unit >> 6) & 0x3f)];
      into[at++] = idOfByte[0x80 | (unit & 0x3f)];
    } else {
      const code = 0x10000 + ((unit & 0x3ff) << 10) + (units[++i] & 0x3ff);
      into[at++] = idOfByte[0xf0 | (code >> 18)];
      into[at++] = idOfByte[0x80 | ((code >> 12) & 0x3f)];
      into[at++] = idOfByte[0x80 | ((code >> 6) & 0x3f)];
      into[at++] = idOfByte[0x80 | (code & 0x3f)];
    }
  }
  return at;
};
