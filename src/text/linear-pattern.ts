// Finds the matches of a stranger's pattern in time that grows with the text's length, whatever the pattern. The host's
// own engine backtracks: `(a+)+b` on thirty letters would hold the whole process for minutes. Here a program of the pattern
// is run depth first in the same order of preference, so the matches are the same, and every choice that has failed at a
// place is remembered: each (choice, place) is tried once. That is sound because a choice's outcome depends on nothing but
// the place, which is why what would depend on more (captures, repeats of what may be empty) is refused.
// Not here: the syntax of tokenizer files (pattern.ts), whose result is what is read here.
import { UnsupportedError } from "../base/errors.ts";
import { CharacterSet } from "./character-set.ts";
import { type Node, parsePattern } from "./pattern-nodes.ts";

/** Calls `onMatch` for every match, in order, as `matchAll` finds them; empty ones too. */
export type FindMatches = (text: string, onMatch: (start: number, end: number) => void) => void;

const INSTRUCTIONS_MAX = 1000; // the patterns in use take 20 to 120; time is at most so many steps a character

const CHARACTER = 0; // goes on where the character at the place is in set `first`
const SPLIT = 1; // tries `first`, then `second`; `third` counts the splits
const JUMP = 2;
const LOOK = 3; // the part at `first` must match (`second` 0) or must not (1); `third` characters further back
const ATOMIC = 4; // the part at `first` matches, and gives nothing back
const BEGIN = 5;
const END = 6;
const ACCEPT = 7;

interface Program {
  readonly code: Int32Array; // rows of [operation, first, second, third]
  readonly sets: readonly CharacterSet[];
  readonly splits: number;
  /** Of each split: its number among those that stand in atomic parts, else -1. */
  readonly inAtomic: readonly number[];
}

const STRIDE = 4;

/** A finder of the expression's matches. `pattern` is named in errors. Throws UnsupportedError for what it cannot run. */
export function linearFinder(expression: RegExp, pattern: string): FindMatches {
  const machine = new Machine(compile(parsePattern(expression.source, pattern), pattern));
  return (text, onMatch) => machine.findAll(text, onMatch);
}

function compile(root: Node, pattern: string): Program {
  const code: number[] = [];
  const sets: CharacterSet[] = [];
  const setByKey = new Map<string, number>();
  const inAtomic: number[] = [];
  let atomicSplits = 0;
  let isAtomic = false;

  const emit = (operation: number, first = 0, second = 0, third = 0): number => {
    if (code.length >= INSTRUCTIONS_MAX * STRIDE) refuse(pattern, "more steps than a pattern may have");
    return code.push(operation, first, second, third) / STRIDE - 1;
  };
  const here = () => code.length / STRIDE;
  const split = () => emit(SPLIT, 0, 0, inAtomic.push(isAtomic ? atomicSplits++ : -1) - 1);
  const aim = (row: number, greedy: boolean, inside: number, past: number) => {
    code[row * STRIDE + 1] = greedy ? inside : past;
    code[row * STRIDE + 2] = greedy ? past : inside;
  };
  /** A part with an end of its own, jumped over by what comes before it. */
  const part = (node: Node, atomic: boolean): number => {
    const over = emit(JUMP);
    const start = here();
    const outer = isAtomic;
    isAtomic = atomic;
    write(node);
    isAtomic = outer;
    emit(ACCEPT);
    code[over * STRIDE + 1] = here();
    return start;
  };

  const write = (node: Node): void => {
    switch (node.kind) {
      case "character": {
        const key = `${node.source}/${node.anyCase}`;
        const known = setByKey.get(key) ?? sets.push(new CharacterSet(node.source, node.anyCase)) - 1;
        setByKey.set(key, known);
        emit(CHARACTER, known);
        return;
      }
      case "sequence":
        for (const item of node.items) write(item);
        return;
      case "choice": {
        const ends: number[] = [];
        for (const [index, item] of node.items.entries()) {
          const row = index < node.items.length - 1 ? split() : -1;
          const inside = here();
          write(item);
          if (row < 0) continue;
          ends.push(emit(JUMP));
          aim(row, true, inside, here());
        }
        for (const row of ends) code[row * STRIDE + 1] = here();
        return;
      }
      case "repeat": {
        const { item, min, max, greedy } = node;
        // Engines differ in what an empty turn of a repeat is, and endless ones would never end.
        if (max > min && canBeEmpty(item)) refuse(pattern, "a repeat of what may be empty");
        for (let count = 0; count < min; count++) write(item);
        if (max === Infinity) {
          const row = split();
          const inside = here();
          write(item);
          emit(JUMP, row);
          aim(row, greedy, inside, here());
          return;
        }
        const rows: [row: number, inside: number][] = [];
        for (let count = min; count < max; count++) {
          rows.push([split(), here()]);
          write(item);
        }
        for (const [row, inside] of rows) aim(row, greedy, inside, here());
        return;
      }
      case "look": {
        const back = node.behind ? widthOf(node.item) : 0;
        if (back === undefined) refuse(pattern, "a look behind at what has no fixed length");
        const start = part(node.item, false);
        emit(LOOK, start, node.negated ? 1 : 0, back);
        return;
      }
      case "atomic": {
        const start = part(node.item, true);
        emit(ATOMIC, start);
        return;
      }
      case "begin":
        emit(BEGIN);
        return;
      case "end":
        emit(END);
        return;
      default:
        node satisfies never;
    }
  };

  write(root);
  emit(ACCEPT);
  return { code: Int32Array.from(code), sets, splits: inAtomic.length, inAtomic };
}

function canBeEmpty(node: Node): boolean {
  switch (node.kind) {
    case "character":
      return false;
    case "sequence":
      return node.items.every(canBeEmpty);
    case "choice":
      return node.items.some(canBeEmpty);
    case "repeat":
      return node.min === 0 || canBeEmpty(node.item);
    case "atomic":
      return canBeEmpty(node.item);
    case "look":
    case "begin":
    case "end":
      return true;
  }
  return node satisfies never;
}

/** How many characters a node always takes; undefined when that differs. */
function widthOf(node: Node): number | undefined {
  switch (node.kind) {
    case "character":
      return 1;
    case "sequence":
      return node.items.reduce<number | undefined>((sum, item) => plus(sum, widthOf(item)), 0);
    case "choice": {
      const widths = new Set(node.items.map(widthOf));
      return widths.size === 1 ? [...widths][0] : undefined;
    }
    case "repeat": {
      const width = node.min === node.max ? widthOf(node.item) : undefined;
      return width === undefined ? undefined : width * node.min;
    }
    case "atomic":
      return widthOf(node.item);
    case "look":
    case "begin":
    case "end":
      return 0;
  }
  return node satisfies never;
}

const plus = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? undefined : a + b);

function refuse(pattern: string, what: string): never {
  throw new UnsupportedError(`The pre-tokenizer's pattern ${JSON.stringify(pattern.slice(0, 200))} uses ${what}.`, {
    hint: "Such a pattern could hold up the whole process; convert the tokenizer to one of the known patterns.",
  });
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
        default:
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
