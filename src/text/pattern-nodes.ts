// Reads a regular expression as pattern.ts writes it (JavaScript's syntax with the flag u, of which only a part occurs) into
// a tree. The host has compiled the same text before, so it is well-formed. Not here: running the tree (linear-pattern.ts).
import { UnsupportedError } from "../base/errors.ts";

export type Node =
  | { readonly kind: "character"; readonly source: string; readonly anyCase: boolean }
  | { readonly kind: "sequence" | "choice"; readonly items: readonly Node[] }
  | {
      readonly kind: "repeat";
      readonly item: Node;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    }
  | { readonly kind: "look"; readonly item: Node; readonly behind: boolean; readonly negated: boolean }
  | { readonly kind: "atomic"; readonly item: Node }
  | { readonly kind: "begin" | "end" };

const DEPTH_MAX = 50;

const QUANTIFIER = /(?:([?*+])|\{(\d+)(,?)(\d*)\})(\??)/y;
const ESCAPE = /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|.)/suy;
const CLASS = /\[(?:\\.|[^\\\]])*\]/suy;
const BACK_REFERENCE = /\(\?:\\\d+\)/y; // pattern.ts writes a possessive repeat as (?=(…))(?:\1)
const BOUNDS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  "?": [0, 1],
  "*": [0, Infinity],
  "+": [1, Infinity],
};
const LOOKS: Readonly<Record<string, { readonly behind: boolean; readonly negated: boolean }>> = {
  "(?=": { behind: false, negated: false },
  "(?!": { behind: false, negated: true },
  "(?<=": { behind: true, negated: false },
  "(?<!": { behind: true, negated: true },
};

/** The tree of `source`; `pattern` is what the file has, for errors. Throws UnsupportedError when it is nested too deep. */
export function parsePattern(source: string, pattern: string): Node {
  let at = 0;

  const take = (expression: RegExp): RegExpExecArray | undefined => {
    expression.lastIndex = at;
    const match = expression.exec(source) ?? undefined;
    if (match !== undefined) at = expression.lastIndex;
    return match;
  };
  const skip = (text: string): boolean => {
    if (!source.startsWith(text, at)) return false;
    at += text.length;
    return true;
  };

  const choice = (anyCase: boolean, depth: number): Node => {
    if (depth > DEPTH_MAX) {
      throw new UnsupportedError(
        `The pre-tokenizer's pattern ${JSON.stringify(pattern.slice(0, 200))} is nested too deep.`,
      );
    }
    const items = [sequence(anyCase, depth)];
    while (skip("|")) items.push(sequence(anyCase, depth));
    return items.length === 1 ? items[0] : { kind: "choice", items };
  };

  const sequence = (anyCase: boolean, depth: number): Node => {
    const items: Node[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") items.push(repeated(anyCase, depth));
    return items.length === 1 ? items[0] : { kind: "sequence", items };
  };

  const repeated = (anyCase: boolean, depth: number): Node => {
    const item = atom(anyCase, depth);
    const quantifier = take(QUANTIFIER);
    if (quantifier === undefined) return item;
    const [, sign, low, comma, high, lazy] = quantifier;
    const [min, max] =
      sign !== undefined
        ? BOUNDS[sign]
        : [Number(low), high !== "" ? Number(high) : comma === "" ? Number(low) : Infinity];
    return { kind: "repeat", item, min, max, greedy: lazy === "" };
  };

  const atom = (anyCase: boolean, depth: number): Node => {
    // Groups of the file's own are (?:…): a bare one is pattern.ts's.
    if (source[at + 4] !== "?" && skip("(?=(")) {
      const item = choice(anyCase, depth + 1);
      skip("))");
      take(BACK_REFERENCE);
      return { kind: "atomic", item };
    }
    const opening = ["(?<=", "(?<!", "(?=", "(?!", "(?:", "(?i:"].find(skip);
    if (opening !== undefined) {
      const item = choice(anyCase || opening === "(?i:", depth + 1);
      skip(")");
      const look = LOOKS[opening];
      return look === undefined ? item : { kind: "look", item, ...look };
    }
    if (skip("^")) return { kind: "begin" };
    if (skip("$")) return { kind: "end" };
    const text = (take(CLASS) ?? take(ESCAPE))?.[0];
    if (text !== undefined) return { kind: "character", source: text, anyCase };
    const character = String.fromCodePoint(source.codePointAt(at)!);
    at += character.length;
    return { kind: "character", source: character, anyCase };
  };

  return choice(false, 0);
}
