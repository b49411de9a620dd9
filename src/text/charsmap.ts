// SentencePiece's compiled normalisation rules (`precompiled_charsmap`): a double-array trie over UTF-8 bytes (the layout
// of darts-clone), whose leaves point into a list of replacement texts, each ended by a zero byte. Untrusted: every index
// is checked. Used whole by SentencePiece's own normaliser and, with the shortest match, by tokenizer.json's.
import { FormatError } from "../base/errors.ts";

const OFFSET_BITS = 10;

export class Charsmap {
  /** Index after the last match, in UTF-16 units. */
  end = 0;
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;
  readonly #known = new Map<number, string>();
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #file: string;

  constructor(bytes: Uint8Array, file: string) {
    this.#file = file;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.byteLength < 4 ? -1 : view.getUint32(0, true);
    if (size < 4 || size % 4 !== 0 || size + 4 > bytes.byteLength) {
      throw new FormatError(
        file,
        "precompiled_charsmap size",
        size,
        `a multiple of 4 inside ${bytes.byteLength} bytes`,
      );
    }
    this.#units = Uint32Array.from({ length: size / 4 }, (_, index) => view.getUint32(4 + 4 * index, true));
    this.#texts = bytes.slice(4 + size);
  }

  /** Replacement of the longest rule that matches at `at`, undefined when there is none; sets `end`. */
  longest(text: string, at: number): string | undefined {
    return this.#match(text, at, text.length, false);
  }

  /** Replacement of the shortest rule that matches the beginning of text[start, end); sets `end`. */
  shortest(text: string, start: number, end: number): string | undefined {
    return this.#match(text, start, end, true);
  }

  #match(text: string, at: number, limit: number, shortest: boolean): string | undefined {
    let found = -1;
    let node = offsetOf(this.#unit(0));
    for (let i = at; i < limit;) {
      const code = text.codePointAt(i)!;
      const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      for (let k = 0; k < bytes; k++) {
        const byte = utf8Byte(code, bytes, k);
        if (byte === 0) return this.#replacement(found); // zero ends a key
        node ^= byte;
        const unit = this.#unit(node);
        if ((unit & 0x800000ff) >>> 0 !== byte) return this.#replacement(found);
        node ^= offsetOf(unit);
        const hasLeaf = ((unit >>> 8) & 1) === 1;
        if (!hasLeaf || k < bytes - 1) continue;
        found = this.#unit(node) & 0x7fffffff;
        this.end = i + (code > 0xffff ? 2 : 1);
        if (shortest) return this.#replacement(found);
      }
      i += code > 0xffff ? 2 : 1;
    }
    return this.#replacement(found);
  }

  #unit(index: number): number {
    const unit = this.#units[index];
    if (unit === undefined) {
      throw new FormatError(this.#file, "precompiled_charsmap node", index, `below ${this.#units.length}`);
    }
    return unit;
  }

  #replacement(at: number): string | undefined {
    if (at < 0) return undefined;
    let text = this.#known.get(at);
    if (text === undefined) {
      const end = this.#texts.indexOf(0, at);
      if (at > this.#texts.length || end < 0) {
        throw new FormatError(this.#file, "precompiled_charsmap replacement", at, "the start of a text inside it");
      }
      text = this.#utf8.decode(this.#texts.subarray(at, end));
      this.#known.set(at, text);
    }
    return text;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> OFFSET_BITS) << ((unit & (1 << 9)) >>> 6);
}

/** Byte k of a code point's UTF-8 of `bytes` bytes. */
function utf8Byte(code: number, bytes: number, k: number): number {
  if (bytes === 1) return code;
  const shift = 6 * (bytes - 1 - k);
  return k === 0 ? ((0xf00 >> bytes) & 0xff) | (code >> shift) : 0x80 | ((code >> shift) & 0x3f);
}
