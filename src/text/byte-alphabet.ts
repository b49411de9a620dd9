// The alphabet in which byte-level vocabularies spell bytes (GPT-2's `bytes_to_unicode`): printable Latin-1 characters
// stand for themselves, the other 68 bytes for U+0100 and up in order, so "Ġ" is a space and "Ċ" a line feed.

const BYTE_TO_CODE = new Uint16Array(256);
const CODE_TO_BYTE = new Int16Array(512).fill(-1);

let next = 0x100;
for (let byte = 0; byte < 256; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
  const code = printable ? byte : next++;
  BYTE_TO_CODE[byte] = code;
  CODE_TO_BYTE[code] = byte;
}

/** The character that spells a byte. */
export function characterOfByte(byte: number): string {
  return String.fromCharCode(BYTE_TO_CODE[byte]);
}

/** Bytes spelled in the alphabet. */
export function spellBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(BYTE_TO_CODE[byte]);
  return text;
}

/** The bytes of a spelling; undefined when a character is outside the alphabet. */
export function bytesOfSpelling(spelling: string): Uint8Array | undefined {
  const bytes = new Uint8Array(spelling.length);
  for (let i = 0; i < spelling.length; i++) {
    const code = spelling.charCodeAt(i);
    const byte = code < 512 ? CODE_TO_BYTE[code] : -1;
    if (byte < 0) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
