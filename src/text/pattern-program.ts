// A pattern's tree as a program for linear-pattern.ts: rows that test a character, try one of two ways, look around, or end.
// What would make a choice's outcome depend on more than its place is refused here. Not here: running it.
import { UnsupportedError } from "../base/errors.ts";
import { CharacterSet } from "./character-set.ts";
import type { Node } from "./pattern-nodes.ts";

const INSTRUCTIONS_MAX = 1000; // the patterns in use take 20 to 120; time is at most so many steps a character

export const CHARACTER = 0; // goes on where the character at the place is in set `first`
export const SPLIT = 1; // tries `first`, then `second`; `third` counts the splits
export const JUMP = 2;
export const LOOK = 3; // the part at `first` must match (`second` 0) or must not (1); `third` characters further back
export const ATOMIC = 4; // the part at `first` matches, and gives nothing back
export const BEGIN = 5;
export const END = 6;
const ACCEPT = 7;

export interface Program {
  readonly code: Int32Array; // rows of [operation, first, second, third]
  readonly sets: readonly CharacterSet[];
  readonly splits: number;
  /** Of each split: its number among those that stand in atomic parts, else -1. */
  readonly inAtomic: readonly number[];
}

export const STRIDE = 4;

/** Compiles a tree; `pattern` is what the file has, for errors. Throws UnsupportedError. */
export function compile(root: Node, pattern: string): Program {
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
