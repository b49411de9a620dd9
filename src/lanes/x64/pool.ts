// The constants that code reads from memory: one 32-bit element, or an element repeated through a register; each once.
const ELEMENT_BYTES = 4;
/** Alignment and size of the largest whole register. */
const WHOLE_BYTES = 64;

export class ConstantPool {
  readonly #known = new Map<string, number>();
  readonly #bytes: number[] = [];

  /** Offset of a 32-bit element. */
  element(bits: number): number {
    return this.#add(`element ${bits}`, () => elementBytes(bits), ELEMENT_BYTES);
  }

  /** Offset of a register of equal elements. */
  whole(bits: number, registerBits: number): number {
    const count = registerBits / 8 / ELEMENT_BYTES;
    return this.#add(
      `${registerBits} ${bits}`,
      () => Array.from({ length: count }, () => elementBytes(bits)).flat(),
      registerBits / 8,
    );
  }

  /** Offset of given bytes, at a multiple of 64. */
  bytesAt(name: string, bytes: readonly number[]): number {
    return this.#add(name, () => bytes, WHOLE_BYTES);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #add(key: string, make: () => readonly number[], alignment: number): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    while (this.#bytes.length % alignment !== 0) this.#bytes.push(0);
    const offset = this.#bytes.length;
    this.#bytes.push(...make());
    this.#known.set(key, offset);
    return offset;
  }
}

function elementBytes(bits: number): number[] {
  return [0, 8, 16, 24].map((shift) => (bits >>> shift) & 255);
}
