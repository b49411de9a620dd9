// Regular expressions of tokenizer files (Rust's and Oniguruma's syntax) as JavaScript's. The same text must be cut in
// the same places, so what cannot be said exactly is refused. Differences handled: \s is White_Space, \h is a hex
// digit's, a dot is all but \n, possessive quantifiers become atomic by a lookahead, escapes of plain punctuation lose
// their backslash.
import { UnsupportedError } from "../base/errors.ts";
import { WHITE_SPACE } from "./character-classes.ts";

/** What ^ and $ mean: the ends of the text (Rust), or of each line (Oniguruma, which tokenizer.json is read with). */
export type Anchors = "text" | "line";

/**
 * A global, Unicode-aware expression equal to `pattern`; throws UnsupportedError where there is none.
 */
export function translatePattern(pattern: string, anchors: Anchors = "text"): RegExp {
  const source = translate(pattern, anchors);
  try {
    return new RegExp(source, "gu");
  } catch (cause) {
    throw new UnsupportedError(`The pre-tokenizer's pattern ${JSON.stringify(pattern)} cannot be expressed here.`, {
      cause,
    });
  }
}

const PATTERN_LENGTH_MAX = 20_000; // the longest in use has 3,000

const SYNTAX_CHARACTERS = new Set("^$\\.*+?()[]{}|/-");
const CLASS_ESCAPES: Readonly<Record<string, readonly [outside: string, inside: string]>> = {
  s: [`[${WHITE_SPACE}]`, WHITE_SPACE],
  d: ["\\p{Nd}", "\\p{Nd}"],
};
const NEGATED_ESCAPES: Readonly<Record<string, string>> = {
  S: `[^${WHITE_SPACE}]`,
  D: "\\P{Nd}",
};
const LINE_ANCHORS: Readonly<Record<string, string>> = { $: "(?![^\\n])", "^": "(?<![^\\n])" };
const PLAIN_ESCAPES = new Set("nrtfv");
const SCRIPTS = /^\\([pP])\{(Han|Hiragana|Katakana|Hangul|Latin|Cyrillic|Greek|Thai|Arabic|Hebrew|Devanagari)\}$/;

function translate(pattern: string, anchors: Anchors): string {
  let out = "";
  let groups = 0;
  let atomStart = 0; // where the last atom begins in `out`, for possessive quantifiers
  let inClass = false;
  const groupStarts: number[] = [];
  const refuse = (what: string): never => {
    throw new UnsupportedError(`The pre-tokenizer's pattern ${JSON.stringify(pattern.slice(0, 200))} uses ${what}.`, {
      hint: "Liang cannot cut text exactly as that asks; convert the tokenizer to one of the known patterns.",
    });
  };
  if (pattern.length > PATTERN_LENGTH_MAX) refuse(`more than ${PATTERN_LENGTH_MAX} characters`);
  for (let i = 0; i < pattern.length;) {
    const at = pattern.slice(i);
    const character = at[0];
    if (character === "\\") {
      const [piece, length] = escape(at, inClass, refuse);
      if (!inClass) atomStart = out.length;
      out += piece;
      i += length;
      continue;
    }
    if (inClass) {
      if (character === "[" || at.startsWith("&&")) refuse("a nested character class");
      if (character === "]") inClass = false;
      out += character;
      i++;
      continue;
    }
    const quantifier = /^(?:[?*+]|\{\d+(?:,\d*)?\})/.exec(at)?.[0];
    if (quantifier !== undefined) {
      i += quantifier.length;
      if (pattern[i] === "+") {
        i++;
        groups++;
        const atom = out.slice(atomStart);
        if (atom.includes("(?=(")) refuse("a possessive quantifier inside another"); // would renumber the groups
        out = `${out.slice(0, atomStart)}(?=(${atom}${quantifier}))(?:\\${groups})`;
      } else {
        out += quantifier;
      }
      continue;
    }
    if (character === "(") {
      groupStarts.push(out.length);
      const opening = /^\((?:\?(?::|=|!|<=|<!|i:))?/.exec(at)![0];
      if (opening === "(" && at[1] === "?") refuse(`the group ${JSON.stringify(at.slice(0, 4))}`);
      out += opening === "(" ? "(?:" : opening; // captures are not wanted: split by the whole match only
      i += opening.length;
      continue;
    }
    if (character === ")") atomStart = groupStarts.pop() ?? 0;
    else atomStart = out.length;
    const anchor = anchors === "line" ? LINE_ANCHORS[character] : undefined;
    if (anchor !== undefined) {
      out += anchor;
      i++;
      continue;
    }
    if (character === "[") inClass = true;
    // there a dot is anything but a line feed; JavaScript's leaves out three characters more
    out += character === "/" ? "\\/" : character === "." ? "[^\\n]" : character;
    i++;
    if (inClass && pattern[i] === "^") {
      out += "^";
      i++;
    }
  }
  return out;
}

/** Translates the escape at the start of `at`; gives its translation and its length. */
function escape(at: string, inClass: boolean, refuse: (what: string) => never): readonly [string, number] {
  const letter = at[1] ?? refuse("a backslash at its end");
  const property = /^\\[pP](?:\{\^?[A-Za-z_=]+\}|[A-Z])/.exec(at)?.[0];
  if (property !== undefined) {
    const script = SCRIPTS.exec(property);
    if (script !== null) return [`\\${script[1]}{Script=${script[2]}}`, property.length];
    if (property.includes("^")) refuse(`the property ${property}`);
    return [property.length === 3 ? `\\${letter}{${property[2]}}` : property, property.length];
  }
  const code = /^\\(?:[xu]\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(at);
  if (code !== null) return [`\\u{${code[1] ?? code[2] ?? code[3]}}`, code[0].length];
  const known = CLASS_ESCAPES[letter];
  if (known !== undefined) return [known[inClass ? 1 : 0], 2];
  const negated = NEGATED_ESCAPES[letter];
  if (negated !== undefined) {
    if (inClass && letter === "S") refuse("\\S inside a character class");
    return [negated, 2];
  }
  if (PLAIN_ESCAPES.has(letter)) return [`\\${letter}`, 2];
  if (SYNTAX_CHARACTERS.has(letter)) return [letter === "-" && !inClass ? "-" : `\\${letter}`, 2];
  if (/[A-Za-z0-9]/.test(letter)) refuse(`\\${letter}`);
  return [letter, 2];
}
