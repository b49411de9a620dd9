// One token for each character, the most frequent ones as far as the vocabulary reaches; all others are spelled in byte
// tokens, as SentencePiece has them. No piece has more than one character, so nothing merges. "▁" stands for a blank,
// and no text gets one put before it.
import { blankToMark, plainBpe, spellingDecoders } from "../tokenizer-json.ts";
import { byteTokens, roomBeside, vocabOf } from "./learned-model.ts";
import { commonCharacters } from "./common-characters.ts";
import type { KindTrainer } from "./types.ts";

export const trainCharacters: KindTrainer = {
  takes: ["coverage"],
  roles: { unknown: "<unk>", bos: "<s>", eos: "</s>" },

  pipeline: () => ({
    normalizer: blankToMark,
    preTokenizer: null,
    unit: "character",
  }),

  learn({ pieces, specials, options }) {
    const { vocabularySize, countMin = 2, coverage } = options;
    const fixed = [...specials.texts, ...byteTokens];
    const taken = new Set(fixed);
    const characters = commonCharacters(pieces, {
      countMin,
      coverage,
      room: roomBeside(vocabularySize, specials.texts.length, byteTokens.length),
      accepts: (character) => !taken.has(character) && !isControl(character),
    });
    const texts = [...fixed, ...characters];
    return {
      model: {
        ...plainBpe,
        ignore_merges: false,
        unk_token: specials.roles.unknown ?? null,
        byte_fallback: true,
        vocab: vocabOf(texts),
        merges: [],
      },
      decoder: { type: "Sequence", decoders: spellingDecoders },
      vocabularySize: texts.length,
    };
  },
};

/** Line ends and their like are one byte, so their byte tokens do. */
const isControl = (character: string): boolean => /\p{Cc}/u.test(character);
