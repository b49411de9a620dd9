// Unigram (SentencePiece, T5): pieces of characters with scores. Each line is a text; pieces reach across neither blanks
// nor punctuation. What the alphabet lacks is spelled in byte tokens. "▁" stands for a blank, and no text gets one put
// before it, so that every text comes back as it was.
import { UsageError } from "../../base/errors.ts";
import { BLANK_MARK, spellingDecoders } from "../tokenizer-json.ts";
import { characterFill } from "./character-cells.ts";
import { commonCharacters } from "./common-characters.ts";
import { ALPHABET_SHARE, byteTokens, roomBeside } from "./learned-model.ts";
import { layOutPieces } from "./symbol-cells.ts";
import type { KindTrainer } from "./types.ts";
import { learnUnigram } from "./unigram-trainer.ts";

/** Of byte tokens: so low that a text which reads "<0x41>" is spelled in characters. */
const BYTE_SCORE = -1000;

const metaspace = { type: "Metaspace", replacement: BLANK_MARK, prepend_scheme: "never", split: true } as const;

export const trainUnigram: KindTrainer = {
  takes: ["coverage"],
  roles: { unknown: "<unk>", bos: "<s>", eos: "</s>" },

  pipeline: () => ({
    normalizer: null,
    preTokenizer: { type: "Sequence", pretokenizers: [metaspace, { type: "Punctuation", behavior: "Isolated" }] },
    unit: "line",
  }),

  learn({ pieces, specials, options }) {
    const { vocabularySize, countMin = 2, coverage, onProgress, signal } = options;
    const { unknown } = specials.roles;
    if (unknown === undefined) throw new UsageError("Unigram needs an unknown token.", { field: "unknown" });
    const fixed = [...specials.texts, ...byteTokens];
    const piecesMax = roomBeside(vocabularySize, specials.texts.length, byteTokens.length);
    const alphabet = commonCharacters(pieces, {
      countMin,
      coverage,
      room: coverage === undefined ? Math.floor(ALPHABET_SHARE * piecesMax) : piecesMax,
      accepts: (character) => !specials.texts.includes(character),
    });
    const corpus = layOutPieces(pieces, characterFill(alphabet), 1, alphabet.length);
    const taken = new Set(fixed);
    const learned = learnUnigram(corpus, {
      alphabetCount: alphabet.length,
      piecesMax,
      countMin,
      onRound(left) {
        signal?.throwIfAborted();
        onProgress?.({ label: "estimate", done: piecesMax, total: Math.max(left, piecesMax), unit: "items" });
      },
    })
      .map(({ symbols, score }) => [symbols.map((symbol) => alphabet[symbol]).join(""), score] as const)
      .filter(([text]) => !taken.has(text));
    const vocab = [
      ...specials.texts.map((text) => [text, 0] as const),
      ...byteTokens.map((text) => [text, BYTE_SCORE] as const),
      ...learned,
    ];
    return {
      model: { type: "Unigram", unk_id: specials.texts.indexOf(unknown), vocab, byte_fallback: true },
      decoder: { type: "Sequence", decoders: spellingDecoders },
      vocabularySize: vocab.length,
    };
  },
};
