// Pieces laid out in characters of an alphabet, each a number by its place there. A character outside of it parts a
// piece like a border: nothing that is learned reaches across.
import { BORDER, type FillSymbols } from "./symbol-cells.ts";

/** `inside`: characters that do not begin their piece, numbered after the others. Default: numbered as those that do. */
export function characterFill(first: readonly string[], inside?: readonly string[]): FillSymbols {
  const firstNumbers = new CharacterNumbers(first, 0);
  const insideNumbers = inside === undefined ? firstNumbers : new CharacterNumbers(inside, first.length);
  return (units, start, end, into, from) => {
    let at = from;
    for (let i = start; i < end; i++) {
      const numbers = i > start ? insideNumbers : firstNumbers;
      const unit = units[i];
      const isPair = (unit & 0xfc00) === 0xd800;
      into[at++] = isPair ? numbers.ofPair(unit, units[++i]) : numbers.ofUnit[unit];
    }
    return at;
  };
}

class CharacterNumbers {
  readonly ofUnit = new Int32Array(0x10000).fill(BORDER);
  readonly #others = new Map<number, number>();

  constructor(alphabet: readonly string[], base: number) {
    for (const [index, character] of alphabet.entries()) {
      if (character.length === 1) this.ofUnit[character.charCodeAt(0)] = base + index;
      else this.#others.set(character.codePointAt(0)!, base + index);
    }
  }

  ofPair(high: number, low: number): number {
    return this.#others.get(0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff)) ?? BORDER;
  }
}
