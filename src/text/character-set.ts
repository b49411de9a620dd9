// Whether a code point is one that a pattern's atom (a letter, an escape, a class) stands for. The host's own regular
// expressions answer, once for each code point; the answers are kept in small pages.

const PAGE = 256;
const PAGES = 0x110000 / PAGE;
const YES = 1;
const NO = 2;

export class CharacterSet {
  readonly #expression: RegExp;
  readonly #pages: (Uint8Array | undefined)[] = Array.from({ length: PAGES });

  /** `source`: the atom as JavaScript writes it with the flag u. */
  constructor(source: string, anyCase: boolean) {
    this.#expression = new RegExp(`^${source}$`, anyCase ? "iu" : "u");
  }

  has(codePoint: number): boolean {
    const page = (this.#pages[codePoint >> 8] ??= new Uint8Array(PAGE));
    const known = page[codePoint & 0xff];
    if (known !== 0) return known === YES;
    const isIn = this.#expression.test(String.fromCodePoint(codePoint));
    page[codePoint & 0xff] = isIn ? YES : NO;
    return isIn;
  }
}
