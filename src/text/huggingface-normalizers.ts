// The normalizers of tokenizer.json as functions from text to text, each as the tokenizers library has it.
import { Charsmap } from "./charsmap.ts";
import { Component } from "./huggingface-json.ts";
import { linearFinder, type FindMatches } from "./linear-pattern.ts";
import { translatePattern } from "./pattern.ts";
import { bertNormalize, lowerCase } from "./wordpiece.ts";

export type TextFunction = (text: string) => string;

const MAKERS: Readonly<Record<string, (component: Component) => TextFunction>> = {
  Sequence: (component) => inTurn(component.parts("normalizers").map(normalizerOf)),
  NFC: () => (text) => text.normalize("NFC"),
  NFD: () => (text) => text.normalize("NFD"),
  NFKC: () => (text) => text.normalize("NFKC"),
  NFKD: () => (text) => text.normalize("NFKD"),
  Lowercase: () => lowerCase,
  StripAccents: () => (text) => text.replace(/\p{M}+/gu, ""),
  Strip(component) {
    const left = component.flag("strip_left", false);
    const right = component.flag("strip_right", false);
    return (text) => {
      const rest = left ? text.replace(/^\p{White_Space}+/u, "") : text;
      return right ? withoutTrailingSpace(rest) : rest;
    };
  },
  Prepend(component) {
    const prefix = component.text("prepend");
    return (text) => (text === "" ? "" : prefix + text);
  },
  Replace(component) {
    const content = component.text("content");
    const pattern = component.pattern("pattern");
    if ("literal" in pattern) return (text) => text.replaceAll(pattern.literal, () => content);
    const find = linearFinder(translatePattern(pattern.regex, "line"), pattern.regex);
    return (text) => replaceMatches(text, find, content);
  },
  BertNormalizer(component) {
    const lowercase = component.flag("lowercase", true);
    const options = {
      cleanText: component.flag("clean_text", true),
      spaceChinese: component.flag("handle_chinese_chars", true),
      stripAccents: component.flag("strip_accents", lowercase),
      lowercase,
    };
    return (text) => bertNormalize(text, options);
  },
  Nmt: () => (text) =>
    text
      .replace(/\p{Cc}/gu, (control) => (isDroppedByNmt(control.charCodeAt(0)) ? "" : control))
      .replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, " "),
  Precompiled(component) {
    const charsmap = new Charsmap(decodeBase64(component), component.file);
    return (text) => applyByGrapheme(charsmap, text);
  },
};

function isDroppedByNmt(code: number): boolean {
  return (code >= 1 && code <= 8) || code === 0xb || (code >= 0xe && code <= 0x1f) || [0x7f, 0x8f, 0x9f].includes(code);
}

/** The function of a normalizer component. Throws UnsupportedError for a type it does not know. */
export function normalizerOf(component: Component): TextFunction {
  return Component.entry(MAKERS, component.type)?.(component) ?? component.unsupported();
}

function inTurn(functions: readonly TextFunction[]): TextFunction {
  return (text) => functions.reduce((normal, apply) => apply(normal), text);
}

function replaceMatches(text: string, find: FindMatches, content: string): string {
  let replaced = "";
  let done = 0;
  find(text, (start, end) => {
    replaced += text.slice(done, start) + content;
    done = end;
  });
  return replaced + text.slice(done);
}

/** By a loop: a pattern anchored at the end is quadratic in runs of white space. */
function withoutTrailingSpace(text: string): string {
  let end = text.length;
  while (end > 0 && /\p{White_Space}/u.test(text[end - 1])) end--;
  return text.slice(0, end);
}

function decodeBase64(component: Component): Uint8Array {
  const base64 = component.text("precompiled_charsmap");
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return component.fail("precompiled_charsmap", base64, "base64");
  }
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const GRAPHEME_BYTES_MAX = 5;

/**
 * The tokenizers library looks a grapheme up whole when it is short, else its characters one by one, and takes the
 * shortest rule that matches; SentencePiece itself takes the longest rule at every place. They differ on some accents.
 */
function applyByGrapheme(charsmap: Charsmap, text: string): string {
  let normal = "";
  for (const { segment } of graphemes.segment(text)) {
    const whole = utf8Length(segment) <= GRAPHEME_BYTES_MAX ? charsmap.shortest(segment, 0, segment.length) : undefined;
    if (whole !== undefined) {
      normal += whole;
      continue;
    }
    for (let at = 0; at < segment.length;) {
      const end = at + (segment.codePointAt(at)! > 0xffff ? 2 : 1);
      normal += charsmap.shortest(segment, at, end) ?? segment.slice(at, end);
      at = end;
    }
  }
  return normal;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3; // a pair of surrogates: 4 in all
  }
  return bytes;
}
