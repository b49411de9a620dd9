// WordPiece (BERT): merges are learned as in BPE, over characters of which those inside a word are marked "##"; of them
// only the resulting pieces are kept, since encoding takes the longest piece. As the tokenizers library trains it.
import { UsageError } from "../../base/errors.ts";
import { learnMerges } from "./bpe-trainer.ts";
import { characterFill } from "./character-cells.ts";
import { commonCharacters, insideCharacters } from "./common-characters.ts";
import { ALPHABET_SHARE, roomBeside, vocabOf } from "./learned-model.ts";
import { layOutPieces } from "./symbol-cells.ts";
import type { PieceCounts } from "./piece-counts.ts";
import type { KindTrainer, TrainTokenizerOptions } from "./types.ts";

const PREFIX = "##";
/** Longer words are unknown to BERT. */
const WORD_LENGTH_MAX = 100;

export const trainWordPiece: KindTrainer = {
  takes: ["coverage", "lowercase"],
  roles: { pad: "[PAD]", unknown: "[UNK]", classifier: "[CLS]", separator: "[SEP]", mask: "[MASK]" },

  pipeline: ({ lowercase = true }) => ({
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    preTokenizer: { type: "BertPreTokenizer" },
    unit: "file",
  }),

  learn({ pieces, specials, options }) {
    const { vocabularySize, countMin = 2, onProgress, signal } = options;
    const { unknown } = specials.roles;
    if (unknown === undefined) throw new UsageError("WordPiece needs an unknown token.", { field: "unknown" });
    const room = roomBeside(vocabularySize, specials.texts.length, 0);
    const { first, inside } = alphabetOf(pieces, options, specials.texts, room);
    const spellings = [...first, ...inside.map((character) => PREFIX + character)];
    const baseCount = spellings.length;
    const mergesMax = room - baseCount;
    const taken = new Set(specials.texts);
    const joined = (left: number, right: number): string => spellings[left] + spellings[right].slice(PREFIX.length);
    const corpus = layOutPieces(pieces, characterFill(first, inside), 1, baseCount + mergesMax);
    learnMerges(corpus, {
      baseCount,
      mergesMax,
      countMin,
      allows: (left, right) => !taken.has(joined(left, right)),
      onMerge(left, right, merged) {
        spellings.push(joined(left, right));
        if (merged % 256 !== 0) return;
        signal?.throwIfAborted();
        onProgress?.({ label: "merge", done: spellings.length, total: vocabularySize, unit: "items" });
      },
    });
    const texts = [...specials.texts, ...spellings];
    return {
      model: {
        type: "WordPiece",
        unk_token: unknown,
        continuing_subword_prefix: PREFIX,
        max_input_chars_per_word: WORD_LENGTH_MAX,
        vocab: vocabOf(texts),
      },
      decoder: { type: "WordPiece", prefix: PREFIX, cleanup: true },
      vocabularySize: texts.length,
    };
  },
};

interface Alphabet {
  /** Characters that may begin a word, and those that also occur inside one; by code point. */
  readonly first: readonly string[];
  readonly inside: readonly string[];
}

/** Throws UsageError where the characters of a coverage do not fit. */
function alphabetOf(
  pieces: PieceCounts,
  { countMin = 2, coverage }: TrainTokenizerOptions,
  taken: readonly string[],
  room: number,
): Alphabet {
  const isInside = insideCharacters(pieces);
  const limit = coverage === undefined ? Math.floor(ALPHABET_SHARE * room) : room;
  const common = commonCharacters(pieces, {
    countMin,
    coverage,
    room: limit,
    accepts: (character) => !taken.includes(character),
  });
  let size = 0;
  const fitting = common.filter((character) => (size += isInside.has(character) ? 2 : 1) <= limit);
  if (coverage !== undefined && fitting.length < common.length) {
    throw new UsageError(`The coverage of ${coverage} asks for ${size} tokens, the vocabulary has room for ${room}.`, {
      field: "coverage",
      hint: "Ask for more tokens, or for a smaller coverage.",
    });
  }
  const first = fitting.sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  return { first, inside: first.filter((character) => isInside.has(character)) };
}
