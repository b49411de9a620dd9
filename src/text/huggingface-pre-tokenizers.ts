// The pre-tokenizers of tokenizer.json as a split of ranges, and, where they change the text (Metaspace, ByteLevel's
// prefix space), a function applied to the section before the split.
import { Component } from "./huggingface-json.ts";
import { isKnownPattern, scanOf } from "./pre-tokenizers.ts";
import { scanGpt2 } from "./scanners.ts";
import { patternSplit, regExpSplit, sequenceSplit, untrustedSplit, type Split, type SplitBehavior } from "./splits.ts";
import { bertSplit } from "./wordpiece.ts";

export interface PreTokenization {
  readonly splits: readonly Split[];
  /** Applied to a section; `atStart`: it begins the text. */
  readonly prepare?: (section: string, atStart: boolean) => string;
  /** The pieces are spelled in the byte alphabet. */
  readonly byteLevel: boolean;
}

const BEHAVIORS: Readonly<Record<string, SplitBehavior>> = {
  Removed: "removed",
  Isolated: "isolated",
  MergedWithPrevious: "merged-with-previous",
  MergedWithNext: "merged-with-next",
  Contiguous: "contiguous",
};
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/gu;
const WHITE_SPACE = /\p{White_Space}+/gu;

const onlySplits = (...splits: Split[]): PreTokenization => ({ splits, byteLevel: false });

const MAKERS: Readonly<Record<string, (component: Component) => PreTokenization>> = {
  Sequence: (component) =>
    inTurn(
      component,
      component.parts("pretokenizers").map((part) => [part, make(part)]),
    ),
  BertPreTokenizer: () => onlySplits(bertSplit),
  WhitespaceSplit: () => onlySplits(regExpSplit(WHITE_SPACE, "removed")),
  Whitespace: () =>
    onlySplits(
      regExpSplit(
        /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
        "removed",
        true,
      ),
    ),
  Punctuation: (component) => onlySplits(regExpSplit(PUNCTUATION, behaviorOf(component, "Isolated"))),
  Digits: (component) =>
    onlySplits(regExpSplit(/\p{N}/gu, component.flag("individual_digits", false) ? "isolated" : "contiguous")),
  CharDelimiterSplit: (component) => onlySplits(literalSplit(component.text("delimiter"), "removed", false)),
  Split(component) {
    const behavior = behaviorOf(component);
    const invert = component.flag("invert", false);
    const pattern = component.pattern("pattern");
    if ("literal" in pattern) return onlySplits(literalSplit(pattern.literal, behavior, invert));
    const scan = scanOf(pattern.regex, "line");
    const isolates = behavior === "isolated" && !invert;
    const keepsMatches = behavior === "removed" && invert && scan?.everywhere;
    if (scan !== undefined && (isolates || keepsMatches)) return onlySplits(scan.split);
    const split = isKnownPattern(pattern.regex) ? patternSplit : untrustedSplit;
    return onlySplits(split(pattern.regex, behavior, invert, "line"));
  },
  ByteLevel(component) {
    const splits = component.flag("use_regex", true) ? [scanGpt2] : [];
    if (!component.flag("add_prefix_space", true)) return { splits, byteLevel: true };
    return { splits, byteLevel: true, prepare: (section) => (section.startsWith(" ") ? section : ` ${section}`) };
  },
  Metaspace(component) {
    const replacement = component.text("replacement");
    const scheme = prependScheme(component);
    const splits = component.flag("split", true) ? [literalSplit(replacement, "merged-with-next", false)] : [];
    return {
      splits,
      byteLevel: false,
      prepare(section, atStart) {
        const replaced = section.replaceAll(" ", replacement);
        const prepends = scheme === "always" || (scheme === "first" && atStart);
        return prepends && !replaced.startsWith(replacement) ? replacement + replaced : replaced;
      },
    };
  },
};

/** What a pre_tokenizer does; nothing when there is none. Throws UnsupportedError for what it cannot do exactly. */
export function preTokenizationOf(component: Component | undefined): PreTokenization {
  return component === undefined ? onlySplits() : make(component);
}

/** "always", "first" or "never", also from the older field `add_prefix_space`. */
export function prependScheme(component: Component): string {
  return component.optionalText("prepend_scheme") ?? (component.flag("add_prefix_space", true) ? "always" : "never");
}

function make(component: Component): PreTokenization {
  return Component.entry(MAKERS, component.type)?.(component) ?? component.unsupported();
}

/** One after another; a step that changes the text must come where that equals changing the section. */
function inTurn(sequence: Component, steps: readonly (readonly [Component, PreTokenization])[]): PreTokenization {
  let done = onlySplits();
  for (const [index, [component, step]] of steps.entries()) {
    if (done.byteLevel && step.splits.length > 0) component.unsupported(" after ByteLevel");
    if (step.prepare !== undefined && index > 0) {
      // Each word gets the prefix: join them again with their prefixes, and let Metaspace cut there.
      const isWords = index === 1 && steps[0][0].type === "WhitespaceSplit";
      if (!isWords || component.type !== "Metaspace" || prependScheme(component) !== "always" || steps.length > 2) {
        component.unsupported(` after others in ${sequence.where}`);
      }
      const { prepare } = step;
      return {
        ...step,
        prepare: (section) =>
          section
            .split(/\p{White_Space}+/u)
            .filter((word) => word !== "")
            .map((word) => prepare(word, false))
            .join(""),
      };
    }
    done = {
      splits: [...done.splits, ...step.splits],
      byteLevel: done.byteLevel || step.byteLevel,
      ...(step.prepare === undefined
        ? done.prepare === undefined
          ? {}
          : { prepare: done.prepare }
        : { prepare: step.prepare }),
    };
  }
  return { ...done, splits: done.splits.length > 1 ? [sequenceSplit(done.splits)] : done.splits };
}

function behaviorOf(component: Component, byDefault?: string): SplitBehavior {
  const name = component.optionalText("behavior") ?? byDefault ?? "";
  return Component.entry(BEHAVIORS, name) ?? component.fail("behavior", name, Object.keys(BEHAVIORS).join(", "));
}

function literalSplit(literal: string, behavior: SplitBehavior, invert: boolean): Split {
  return regExpSplit(new RegExp(literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`), "gu"), behavior, invert);
}
