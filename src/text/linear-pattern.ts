// Finds the matches of a stranger's pattern in time that grows with the text's length, whatever the pattern. The host's
// own engine backtracks: `(a+)+b` on thirty letters would hold the whole process for minutes. Here a program of the pattern
// is run depth first in the same order of preference, so the matches are the same, and every choice that has failed at a
// place is remembered: each (choice, place) is tried once. That is sound because a choice's outcome depends on nothing but
// the place, which is why what would depend on more (captures, repeats of what may be empty) is refused.
// Not here: the syntax of tokenizer files (pattern.ts), the program (pattern-program.ts).
import { parsePattern } from "./pattern-nodes.ts";
import { ATOMIC, BEGIN, CHARACTER, compile, END, JUMP, LOOK, SPLIT, STRIDE, type Program } from "./pattern-program.ts";

/** Calls `onMatch` for every match, in order, as `matchAll` finds them; empty ones too. */
export type FindMatches = (text: string, onMatch: (start: number, end: number) => void) => void;

/** A finder of the expression's matches. `pattern` is named in errors. Throws UnsupportedError for what it cannot run. */
export function linearFinder(expression: RegExp, pattern: string): FindMatches {
  const machine = new Machine(compile(parsePattern(expression.source, pattern), pattern));
  return (text, onMatch) => machine.findAll(text, onMatch);
}

// Memory kept between texts; one huge text must not hold its own for ever.
const KEPT_WORDS = 1 << 18;
const MARKED = 1 << 30; // added to the row of a split on the stack, under its second way

class Machine {
  readonly #program: Program;
  /** (split, place) pairs that led nowhere, a bit each; and those inside looks that led to the part's end. */
  #failed = new Uint32Array(0);
  #passed = new Uint32Array(0);
  /** Of splits in atomic parts: 1 + where the part ends, 0 while unknown. */
  #ends = new Int32Array(0);
  readonly #atomicSplits: number;
  /** Rows still to try and their places. */
  #stack = new Int32Array(256);
  #top = 0;
  #text = "";

  constructor(program: Program) {
    this.#program = program;
    this.#atomicSplits = program.inAtomic.filter((number) => number >= 0).length;
  }

  findAll(text: string, onMatch: (start: number, end: number) => void): void {
    this.#begin(text);
    for (let at = 0; at <= text.length;) {
      const end = this.#run(0, at, undefined);
      if (end >= 0) onMatch(at, end);
      at = end > at ? end : at + widthAt(text, at);
    }
    this.#text = "";
    if (this.#failed.length > KEPT_WORDS) this.#failed = this.#passed = new Uint32Array(0);
    if (this.#ends.length > KEPT_WORDS) this.#ends = new Int32Array(0);
  }

  #begin(text: string): void {
    const words = Math.ceil((this.#program.splits * (text.length + 1)) / 32);
    if (words > this.#failed.length) {
      this.#failed = new Uint32Array(words);
      this.#passed = new Uint32Array(words);
    } else {
      this.#failed.fill(0, 0, words);
      this.#passed.fill(0, 0, words);
    }
    const ends = this.#atomicSplits * (text.length + 1);
    if (ends > this.#ends.length) this.#ends = new Int32Array(ends);
    else this.#ends.fill(0, 0, ends);
    this.#text = text;
    this.#top = 0;
  }

  /** Where the part that begins at `row` ends when it starts at `place`, -1 when it does not match. */
  #run(row: number, place: number, inside: "look" | "atomic" | undefined): number {
    const { code, sets } = this.#program;
    const text = this.#text;
    const base = this.#top;
    for (;;) {
      const at = row * STRIDE;
      const first = code[at + 1];
      let goesOn = true;
      switch (code[at]) {
        case CHARACTER: {
          const unit = place < text.length ? text.charCodeAt(place) : -1;
          const point = (unit & 0xfc00) === 0xd800 ? text.codePointAt(place)! : unit;
          goesOn = unit >= 0 && sets[first].has(point);
          place += point > 0xffff ? 2 : 1;
          row++;
          break;
        }
        case SPLIT: {
          const key = this.#key(code[at + 3], place);
          if (hasBit(this.#failed, key)) {
            goesOn = false;
            break;
          }
          if (inside === "look" && hasBit(this.#passed, key)) return this.#accept(base, place, inside);
          const end = inside === "atomic" ? this.#ends[this.#atomicKey(code[at + 3], place)] : 0;
          if (end > 0) return this.#accept(base, end - 1, inside);
          this.#push(row + MARKED, place);
          this.#push(code[at + 2], place);
          row = first;
          break;
        }
        case JUMP:
          row = first;
          break;
        case LOOK: {
          const from = this.#back(place, code[at + 3]);
          goesOn = (from >= 0 && this.#run(first, from, "look") >= 0) === (code[at + 2] === 0);
          row++;
          break;
        }
        case ATOMIC:
          place = this.#run(first, place, "atomic");
          goesOn = place >= 0;
          row++;
          break;
        case BEGIN:
          goesOn = place === 0;
          row++;
          break;
        case END:
          goesOn = place === text.length;
          row++;
          break;
        default: // the part or the pattern ends here
          return this.#accept(base, place, inside);
      }
      if (goesOn) continue;
      for (;;) {
        if (this.#top === base) return -1;
        place = this.#stack[--this.#top];
        row = this.#stack[--this.#top];
        if (row < MARKED) break;
        setBit(this.#failed, this.#key(code[(row - MARKED) * STRIDE + 3], place)); // both ways led nowhere
      }
    }
  }

  /** Leaves a part; the splits still on the stack are those that led here. */
  #accept(base: number, end: number, inside: "look" | "atomic" | undefined): number {
    const { code } = this.#program;
    while (this.#top > base) {
      const place = this.#stack[--this.#top];
      const row = this.#stack[--this.#top];
      if (inside === undefined || row < MARKED) continue;
      const split = code[(row - MARKED) * STRIDE + 3];
      if (inside === "look") setBit(this.#passed, this.#key(split, place));
      else this.#ends[this.#atomicKey(split, place)] = end + 1;
    }
    return end;
  }

  #key(split: number, place: number): number {
    return split * (this.#text.length + 1) + place;
  }

  #atomicKey(split: number, place: number): number {
    return this.#key(this.#program.inAtomic[split], place);
  }

  #push(row: number, place: number): void {
    if (this.#top + 2 > this.#stack.length) {
      const grown = new Int32Array(this.#stack.length * 2);
      grown.set(this.#stack);
      this.#stack = grown;
    }
    this.#stack[this.#top++] = row;
    this.#stack[this.#top++] = place;
  }

  /** The place `count` characters before, -1 when there are not so many. */
  #back(place: number, count: number): number {
    for (; count > 0 && place >= 0; count--) {
      place -= place > 1 && (this.#text.charCodeAt(place - 1) & 0xfc00) === 0xdc00 ? 2 : 1;
    }
    return place;
  }
}

function widthAt(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1;
}

function hasBit(bits: Uint32Array, key: number): boolean {
  return (bits[Math.floor(key / 32)] & (1 << (key % 32))) !== 0;
}

function setBit(bits: Uint32Array, key: number): void {
  bits[Math.floor(key / 32)] |= 1 << (key % 32);
}
