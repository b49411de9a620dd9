// The tokenizer of a model whose files bring none: its ids can be read and chosen, but they stand for no text.
import { UnsupportedError, UsageError } from "../base/errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

const NO_BYTES = new Uint8Array(0);

/** Encoding and decoding throw UnsupportedError; replies to ids stream ids with empty text. */
export function noTokenizer(vocabularySize: number, file: string): Tokenizer {
  const refuse = (): never => {
    throw new UnsupportedError(`${file} has no tokenizer, so it reads and writes ids only.`, {
      hint: "Put the model's tokenizer.json or tokenizer.model beside its weights.",
    });
  };
  const inside = <T>(id: number, value: T): T => {
    if (Number.isInteger(id) && id >= 0 && id < vocabularySize) return value;
    throw new UsageError(`Token id ${id} is outside the vocabulary of ${vocabularySize} tokens.`, { field: "ids" });
  };
  return {
    kind: "none",
    vocabularySize,
    specials: {
      bos: undefined,
      eos: undefined,
      eot: undefined,
      eom: undefined,
      unknown: undefined,
      pad: undefined,
      separator: undefined,
      classifier: undefined,
      mask: undefined,
      endOfGeneration: new Set(),
    },
    addBos: false,
    addEos: false,
    encode: refuse,
    decode: refuse,
    decodeBytes: refuse,
    detokenizer: () => ({ push: (id) => inside(id, ""), end: () => "" }),
    tokenBytes: (id) => inside(id, NO_BYTES),
    tokenText: (id) => inside(id, ""),
    tokenClass: (id) => inside(id, "normal"),
    isSpecial: (id) => inside(id, false),
    idOf: () => undefined,
  };
}
