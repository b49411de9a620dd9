// A long list of texts as UTF-8 bytes side by side: a vocabulary or its merges. A text becomes a string when it is asked
// for, so that a list of 150,000 is there in milliseconds and is no burden to the collector.

/** A few texts, or many. */
export type Texts = readonly string[] | TextList;

export class TextList {
  /** Text i is bytes[starts[i], starts[i + 1]); well-formed. */
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.bytes = bytes;
    this.starts = starts;
  }

  static of(texts: readonly string[]): TextList {
    const encoder = new TextEncoder();
    const builder = new TextListBuilder(texts.length);
    for (const text of texts) {
      const bytes = encoder.encode(text);
      builder.append(bytes, 0, bytes.byteLength);
    }
    return builder.finish();
  }

  get length(): number {
    return this.starts.length - 1;
  }

  at(index: number): string | undefined {
    if (!(index >= 0 && index < this.length)) return undefined;
    const [start, end] = [this.starts[index], this.starts[index + 1]];
    return shortText(this.bytes, start, end) ?? this.#decoder.decode(this.bytes.subarray(start, end));
  }

  toArray(): string[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i) as string);
  }

  *[Symbol.iterator](): Generator<string, void> {
    for (let i = 0; i < this.length; i++) yield this.at(i) as string;
  }
}

/** Makes a list text by text. */
export class TextListBuilder {
  readonly #starts: Uint32Array;
  #bytes: Uint8Array;
  #count = 0;

  constructor(length: number) {
    this.#starts = new Uint32Array(length + 1);
    this.#bytes = new Uint8Array(Math.max(64, 8 * length));
  }

  get length(): number {
    return this.#count;
  }

  /** Adds the text that is bytes[from, end), which is taken to be well-formed. */
  append(bytes: Uint8Array, from: number, end: number): void {
    const start = this.#starts[this.#count];
    const next = start + end - from;
    if (next > this.#bytes.byteLength) {
      const grown = new Uint8Array(2 * next);
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
    }
    // texts of a vocabulary are a few bytes, for which a loop is faster than a view of them
    for (let at = start; at < next; at++) this.#bytes[at] = bytes[from + at - start];
    this.#starts[++this.#count] = next;
  }

  /** Forgets the texts from the `length`-th on. */
  truncate(length: number): void {
    this.#count = length;
  }

  finish(): TextList {
    return new TextList(this.#bytes.slice(0, this.#starts[this.#count]), this.#starts.slice(0, this.#count + 1));
  }
}

/** The first text that is not well-formed UTF-8, -1 where all are. */
export function firstIllFormed({ bytes, starts, length }: TextList): number {
  const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const isWellFormed = (from: number, end: number): boolean => {
    try {
      fatal.decode(bytes.subarray(from, end));
      return true;
    } catch {
      return false;
    }
  };
  // where all bytes together are well-formed and no text begins inside a character, each text is
  let isCut = false;
  for (let i = 0; i < length; i++) if (starts[i] < starts[i + 1]) isCut ||= (bytes[starts[i]] & 0xc0) === 0x80;
  if (!isCut && isWellFormed(0, bytes.byteLength)) return -1;
  for (let i = 0; i < length; i++) if (!isWellFormed(starts[i], starts[i + 1])) return i;
  return -1;
}

const SHORT_TEXT_BYTES = 32;

/**
 * Decodes a short text of well-formed UTF-8 of one to three bytes a character; undefined for anything else, which
 * TextDecoder judges. Texts of a vocabulary are a few bytes, for which a TextDecoder call costs several times the text.
 */
export function shortText(bytes: Uint8Array, from: number, end: number): string | undefined {
  if (end - from > SHORT_TEXT_BYTES) return undefined;
  let text = "";
  for (let at = from; at < end;) {
    const lead = bytes[at];
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      at += 1;
    } else if (lead >= 0xc2 && lead < 0xe0 && at + 1 < end && isTail(bytes[at + 1])) {
      text += String.fromCharCode(((lead & 31) << 6) | (bytes[at + 1] & 63));
      at += 2;
    } else if (lead >= 0xe0 && lead < 0xf0 && at + 2 < end && isTail(bytes[at + 1]) && isTail(bytes[at + 2])) {
      const code = ((lead & 15) << 12) | ((bytes[at + 1] & 63) << 6) | (bytes[at + 2] & 63);
      if (code < 0x800 || (code >= 0xd800 && code < 0xe000)) return undefined;
      text += String.fromCharCode(code);
      at += 3;
    } else return undefined;
  }
  return text;
}

const isTail = (byte: number): boolean => (byte & 0xc0) === 0x80;
