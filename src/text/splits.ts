// How a text is cut into the pieces that are tokenised one by one (a pre-tokenizer): ranges of UTF-16 positions.
// Here: the type, the generic splits (regular expression, literal, one after another) and the behaviours that
// tokenizer.json knows. Hand-written scanners for the common patterns: scanners.ts.
import { linearFinder, type FindMatches } from "./linear-pattern.ts";
import { type Anchors, translatePattern } from "./pattern.ts";

/** A growing list of ranges: starts and ends alternate in `bounds[0..length)`. */
export class Ranges {
  bounds = new Int32Array(1024);
  length = 0;

  push(start: number, end: number): void {
    if (this.length + 2 > this.bounds.length) {
      const grown = new Int32Array(this.bounds.length * 2);
      grown.set(this.bounds);
      this.bounds = grown;
    }
    this.bounds[this.length++] = start;
    this.bounds[this.length++] = end;
  }
}

/** Appends the pieces of text[start, end) to `into`, in order. Nothing outside the range is looked at. */
export type Split = (text: string, start: number, end: number, into: Ranges) => void;

/** What becomes of the parts that match, as tokenizer.json names it. */
export type SplitBehavior = "removed" | "isolated" | "merged-with-previous" | "merged-with-next" | "contiguous";

/** The whole range as one piece. */
export const noSplit: Split = (_text, start, end, into) => {
  if (end > start) into.push(start, end);
};

/** Splits by each in turn: a later one sees only the pieces of the one before. */
export function sequenceSplit(splits: readonly Split[]): Split {
  const [first, ...rest] = splits;
  if (first === undefined) return noSplit;
  if (rest.length === 0) return first;
  const later = sequenceSplit(rest);
  const outer = new Ranges(); // reused: a split runs to its end before it is called again
  return (text, start, end, into) => {
    outer.length = 0;
    first(text, start, end, outer);
    for (let i = 0; i < outer.length; i += 2) later(text, outer.bounds[i], outer.bounds[i + 1], into);
  };
}

/**
 * Splits by a regular expression written for Rust's or Oniguruma's syntax: matches are pieces, and so is what lies
 * between them; `behavior` says otherwise, `invert` swaps the two. Throws UnsupportedError for syntax that
 * JavaScript cannot express.
 */
export function patternSplit(
  pattern: string,
  behavior: SplitBehavior = "isolated",
  invert = false,
  anchors: Anchors = "text",
): Split {
  return regExpSplit(translatePattern(pattern, anchors), behavior, invert);
}

/** The same for a pattern out of a stranger's file: slower, but in time that grows with the text whatever the pattern. */
export function untrustedSplit(pattern: string, behavior: SplitBehavior, invert: boolean, anchors: Anchors): Split {
  return finderSplit(linearFinder(translatePattern(pattern, anchors), pattern), behavior, invert);
}

/** The same by a JavaScript expression, which needs the flags g and u (or v). */
export function regExpSplit(expression: RegExp, behavior: SplitBehavior = "isolated", invert = false): Split {
  const find: FindMatches = (text, onMatch) => {
    for (const match of text.matchAll(expression)) onMatch(match.index, match.index + match[0].length);
  };
  return finderSplit(find, behavior, invert);
}

function finderSplit(find: FindMatches, behavior: SplitBehavior, invert: boolean): Split {
  return (text, start, end, into) => {
    const part = start === 0 && end === text.length ? text : text.slice(start, end);
    const collect = collectors[behavior](into);
    let done = 0;
    find(part, (from, to) => {
      if (from === to) return; // an empty match cuts nothing
      if (from > done) collect.add(start + done, start + from, invert);
      done = to;
      collect.add(start + from, start + done, !invert);
    });
    if (done < part.length) collect.add(start + done, end, invert);
    collect.flush();
  };
}

interface Collector {
  add(start: number, end: number, matched: boolean): void;
  flush(): void;
}

const NOTHING_HELD = () => {};

const collectors: Record<SplitBehavior, (into: Ranges) => Collector> = {
  removed: (into) => ({
    add(start, end, matched) {
      if (!matched) into.push(start, end);
    },
    flush: NOTHING_HELD,
  }),
  isolated: (into) => ({
    add: (start, end) => into.push(start, end),
    flush: NOTHING_HELD,
  }),
  "merged-with-previous": (into) => {
    let mergeable = false; // the last piece is not itself a match
    return {
      add(start, end, matched) {
        if (matched && mergeable) into.bounds[into.length - 1] = end;
        else into.push(start, end);
        mergeable = !matched;
      },
      flush: NOTHING_HELD,
    };
  },
  "merged-with-next": (into) => {
    let heldFrom = -1; // start of a match that waits for what follows
    let heldEnd = -1;
    const flush = () => {
      if (heldFrom >= 0) into.push(heldFrom, heldEnd);
      heldFrom = -1;
    };
    return {
      add(start, end, matched) {
        if (matched) {
          flush();
          heldFrom = start;
          heldEnd = end;
        } else {
          into.push(heldFrom >= 0 ? heldFrom : start, end);
          heldFrom = -1;
        }
      },
      flush,
    };
  },
  contiguous: (into) => {
    let previous: boolean | undefined;
    return {
      add(start, end, matched) {
        if (matched === previous) into.bounds[into.length - 1] = end;
        else into.push(start, end);
        previous = matched;
      },
      flush: NOTHING_HELD,
    };
  },
};
