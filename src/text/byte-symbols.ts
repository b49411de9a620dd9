// Symbols of byte-level BPE: every UTF-8 byte is one, spelled in the byte alphabet. A merge whose result the vocabulary
// does not list still happens, through a symbol of its own that falls apart into bytes at the end, as in llama.cpp.
import { UnsupportedError } from "../base/errors.ts";
import { bytesOfSpelling, characterOfByte } from "./byte-alphabet.ts";
import type { Symbols } from "./bpe.ts";
import type { Vocabulary } from "./vocabulary.ts";

const UTF8_MAX_BYTE = 0xf4; // no larger byte occurs in UTF-8, nor do 0xC0 and 0xC1

export interface ByteSymbolOptions {
  /** Spellings of the symbols from the vocabulary's size on (see merges.ts). */
  readonly extra?: readonly string[];
  readonly unknown?: number | undefined;
  /** What the vocabulary puts after a piece's last symbol ("</w>"). */
  readonly wordEnd?: string;
}

export class ByteSymbols implements Symbols {
  readonly #byteIds = new Int32Array(256).fill(-1);
  /** Ids of bytes that end a piece, where the vocabulary marks them. */
  readonly #lastIds: Int32Array | undefined;
  readonly #size: number;
  readonly #extra: readonly string[];

  constructor(vocabulary: Vocabulary, options: ByteSymbolOptions = {}) {
    const { extra = [], unknown, wordEnd = "" } = options;
    this.#size = vocabulary.size;
    this.#extra = extra;
    if (wordEnd !== "") this.#lastIds = new Int32Array(256).fill(-1);
    for (let byte = 0; byte <= UTF8_MAX_BYTE; byte++) {
      const spelling = characterOfByte(byte);
      this.#byteIds[byte] = vocabulary.idOf(spelling) ?? unknown ?? -1;
      if (this.#lastIds) this.#lastIds[byte] = vocabulary.idOf(spelling + wordEnd) ?? unknown ?? -1;
    }
  }

  fill(text: string, start: number, end: number, into: Int32Array): number {
    const byteIds = this.#byteIds;
    let count = 0;
    for (let i = start; i < end; i++) {
      let code = text.charCodeAt(i);
      if (code < 0x80) {
        into[count++] = byteIds[code]!;
      } else if (code < 0x800) {
        into[count++] = byteIds[0xc0 | (code >> 6)]!;
        into[count++] = byteIds[0x80 | (code & 0x3f)]!;
      } else if ((code & 0xf800) !== 0xd800) {
        into[count++] = byteIds[0xe0 | (code >> 12)];
        into[count++] = byteIds[0x80 | ((code >> 6) & 0x3f)];
        into[count++] = byteIds[0x80 | (code & 0x3f)];
      } else {
        code = text.codePointAt(i++)!; // two units
        into[count++] = byteIds[0xf0 | (code >> 18)];
        into[count++] = byteIds[0x80 | ((code >> 12) & 0x3f)];
        into[count++] = byteIds[0x80 | ((code >> 6) & 0x3f)];
        into[count++] = byteIds[0x80 | (code & 0x3f)];
      }
    }
    if (this.#lastIds !== undefined && count > 0) {
      const last = text.charCodeAt(end - 1);
      into[count - 1] = this.#lastIds[last < 0x80 ? last : lastByte(last)];
    }
    return count;
  }

  emit(symbol: number, into: number[]): void {
    if (symbol >= 0 && symbol < this.#size) {
      into.push(symbol);
      return;
    }
    if (symbol < 0) {
      throw new UnsupportedError("The vocabulary has no token for a byte of this text, and no unknown token.", {
        hint: "Use only characters that the model was trained on.",
      });
    }
    for (const byte of bytesOfSpelling(this.#extra[symbol - this.#size])!) this.emit(this.#byteIds[byte], into);
  }
}

/** The last byte of the UTF-8 that ends with this unit, none of ASCII; of a pair of surrogates the second decides. */
function lastByte(unit: number): number {
  return 0x80 | (unit & 0x3f);
}
