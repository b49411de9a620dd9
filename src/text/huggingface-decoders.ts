// The decoders of tokenizer.json as the detokenizer's rules. A decoder is a chain of steps over the tokens' spellings;
// the chains in use come down to a few: byte level, "▁" for spaces with byte tokens, word pieces, an ending for words.
import type { DecodeRules } from "./detokenizer.ts";
import { byteLevelRules } from "./detokenizer.ts";
import { Component } from "./huggingface-json.ts";
import { prependScheme } from "./huggingface-pre-tokenizers.ts";
import { wordPieceRules } from "./wordpiece.ts";

const encoder = new TextEncoder();

export interface Decoding {
  readonly rules: DecodeRules;
  /** Tokens such as <0x0A> stand for their byte. */
  readonly byteTokens: boolean;
}

/** The rules of a decoder. Throws UnsupportedError for a chain it cannot follow. */
export function decodingOf(component: Component | undefined): Decoding {
  if (component === undefined) return { rules: spaced, byteTokens: false };
  const steps = component.type === "Sequence" ? component.parts("decoders") : [component];
  if (steps.length === 1) {
    const whole = Component.entry(WHOLE, steps[0].type);
    if (whole !== undefined) return { rules: whole(steps[0]), byteTokens: false };
  }
  const replacements: [string, string][] = [];
  let byteTokens = false;
  let leadingSpace = false;
  for (const step of steps) {
    if (step.type === "Replace") {
      const pattern = step.pattern("pattern");
      if (!("literal" in pattern)) step.unsupported(" with a regular expression");
      else replacements.push([pattern.literal, step.text("content")]);
    } else if (step.type === "Metaspace") {
      replacements.push([step.text("replacement"), " "]);
      leadingSpace = prependScheme(step) !== "never";
    } else if (step.type === "ByteFallback") {
      byteTokens = true;
    } else if (step.type === "Strip") {
      if (step.text("content") !== " " || step.number("start") > 1 || step.number("stop") > 0) {
        step.unsupported(" other than one blank at the start");
      }
      leadingSpace = step.number("start") === 1;
    } else if (step.type !== "Fuse") {
      step.unsupported();
    }
  }
  return {
    byteTokens,
    rules: {
      spell: (text) =>
        encoder.encode(replacements.reduce((spelled, [from, to]) => spelled.replaceAll(from, () => to), text)),
      leadingBlanks: leadingSpace ? "one" : "none",
      spellsAll: true,
    },
  };
}

/** Without a decoder the library writes the tokens with blanks between. */
const spaced: DecodeRules = {
  spell: (text, first) => encoder.encode(first ? text : ` ${text}`),
  leadingBlanks: "none",
  spellsAll: true,
};

/** Decoders that stand alone. */
const WHOLE: Readonly<Record<string, (component: Component) => DecodeRules>> = {
  ByteLevel: () => byteLevelRules,
  WordPiece: (component) => wordPieceRules("", component.text("prefix"), component.flag("cleanup", true)),
};
