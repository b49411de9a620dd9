// A Tokenizer from a Marian folder: the source language's SentencePiece model cuts the text, vocab.json numbers its pieces
// together with the target language's and the codes of languages (">>cmn_Hans<<"), which a person writes before the text.
import { FormatError } from "../base/errors.ts";
import { assembleTokenizer } from "./assemble.ts";
import { sentencePieceRules } from "./detokenizer.ts";
import { type SentencePieceFile, tokenizerFromSentencePiece } from "./from-sentencepiece.ts";
import { findSpecials } from "./special-tokens.ts";
import type { TokenClass, Tokenizer } from "./tokenizer.ts";
import { Vocabulary } from "./vocabulary.ts";

const LANGUAGE = /^>>.+<<$/;
const CLASSES: Readonly<Record<string, TokenClass>> = { "</s>": "control", "<pad>": "control", "<unk>": "unknown" };

export interface MarianFiles {
  /** source.spm. */
  readonly source: SentencePieceFile;
  /** vocab.json: id by piece. */
  readonly vocabulary: Readonly<Record<string, unknown>>;
}

/** Throws FormatError unless the vocabulary numbers its pieces from 0 on and has </s> and <unk>. */
export function tokenizerFromMarian({ source, vocabulary: ids }: MarianFiles, file = "vocab.json"): Tokenizer {
  const texts = Array<string | undefined>(Object.keys(ids).length).fill(undefined);
  for (const [text, id] of Object.entries(ids)) {
    if (typeof id !== "number" || !(id in texts) || texts[id] !== undefined) {
      throw new FormatError(file, `id of ${text}`, id, `a number of its own below ${texts.length}`);
    }
    texts[id] = text;
  }
  const pieces = texts as string[];
  const classOf = (text: string): TokenClass => CLASSES[text] ?? (LANGUAGE.test(text) ? "user-defined" : "normal");
  const vocabulary = new Vocabulary(pieces, pieces.map(classOf), file);
  const idOf = (text: string): number => {
    const id = vocabulary.idOf(text);
    if (id === undefined) throw new FormatError(file, text, "missing", "an id");
    return id;
  };
  const [eos, unknown] = [idOf("</s>"), idOf("<unk>")];
  const given = { eos, unknown, pad: vocabulary.idOf("<pad>") };
  return assembleTokenizer({
    kind: "unigram",
    vocabulary,
    specials: findSpecials(vocabulary, given, (id) => vocabulary.classOf(id) !== "normal"),
    added: vocabulary
      .idsOf("control", "unknown", "user-defined")
      .map((id) => ({ id, text: vocabulary.text(id), special: vocabulary.classOf(id) !== "user-defined" })),
    encoder() {
      const cutter = tokenizerFromSentencePiece(source, { addBos: false }, file);
      const numbers = Int32Array.from(
        { length: cutter.vocabularySize },
        (_, id) => vocabulary.idOf(cutter.tokenText(id)) ?? unknown,
      );
      return {
        encode(text, start, end, into) {
          for (const id of cutter.encode(text.slice(start, end))) into.push(numbers[id]);
        },
      };
    },
    rules: sentencePieceRules("all"),
    before: [],
    after: [eos],
  });
}
