// From text to the pieces that training counts: the normalizer and pre-tokenizer are those of the tokenizer to be, as
// its tokenizer.json has them, so that training and use cut alike. Says also where a file may be cut into chunks.
import { Component, type JsonObject } from "../huggingface-json.ts";
import { normalizerOf } from "../huggingface-normalizers.ts";
import { preTokenizationOf } from "../huggingface-pre-tokenizers.ts";
import { noSplit, Ranges, sequenceSplit, type Split } from "../splits.ts";
import { cutBetweenCharacters, cutBetweenLines, cutBetweenPieces, type FindCut } from "./cuts.ts";
import type { PieceCounts } from "./piece-counts.ts";

/** How texts become pieces; plain data, so that it can be sent to threads. */
export interface Pipeline {
  readonly normalizer: JsonObject | null;
  readonly preTokenizer: JsonObject | null;
  /** What is a text of its own: a whole file, or each of its lines without its end; or every character is a piece. */
  readonly unit: "file" | "line" | "character";
}

const CUTS: Readonly<Record<Pipeline["unit"], FindCut>> = {
  file: cutBetweenPieces,
  line: cutBetweenLines,
  character: cutBetweenCharacters,
};

export class PieceReader {
  readonly findCut: FindCut;
  readonly #normalize: ((text: string) => string) | undefined;
  readonly #prepare: ((section: string, atStart: boolean) => string) | undefined;
  readonly #split: Split;
  readonly #ranges = new Ranges();
  readonly #isByLine: boolean;

  /** Throws as the tokenizer's own reader does: UnsupportedError for components that Liang does not know. */
  constructor({ normalizer, preTokenizer, unit }: Pipeline) {
    const part = (value: JsonObject | null, name: string) =>
      value === null ? undefined : new Component(value, `tokenizer.${name}`, "tokenizer.json");
    const normalization = part(normalizer, "normalizer");
    const { splits, prepare } = preTokenizationOf(part(preTokenizer, "pre_tokenizer"));
    this.findCut = CUTS[unit];
    this.#normalize = normalization === undefined ? undefined : normalizerOf(normalization);
    this.#prepare = prepare;
    this.#split = unit === "character" ? everyCharacter : splits.length === 0 ? noSplit : sequenceSplit(splits);
    this.#isByLine = unit === "line";
  }

  /** Counts the pieces of a text, or of a part of one between cuts. */
  count(text: string, into: PieceCounts): void {
    if (!this.#isByLine) {
      this.#countText(text, into);
      return;
    }
    for (const line of text.split("\n")) {
      const content = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (content !== "") this.#countText(content, into);
    }
  }

  #countText(given: string, into: PieceCounts): void {
    let text = this.#normalize?.(given) ?? given;
    if (this.#prepare !== undefined) text = this.#prepare(text, true);
    this.#ranges.length = 0;
    this.#split(text, 0, text.length, this.#ranges);
    const { bounds, length } = this.#ranges;
    for (let i = 0; i < length; i += 2) into.add(text, bounds[i], bounds[i + 1]);
  }
}

const everyCharacter: Split = (text, start, end, into) => {
  for (let at = start; at < end;) {
    const next = at + ((text.charCodeAt(at) & 0xfc00) === 0xd800 && at + 1 < end ? 2 : 1);
    into.push(at, next);
    at = next;
  }
};
