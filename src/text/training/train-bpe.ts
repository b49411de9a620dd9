// Byte-level BPE (GPT-2 and after): the alphabet is the 256 bytes, so that every text has tokens.
import { characterOfByte } from "../byte-alphabet.ts";
import { preTokenizerJson } from "../pre-tokenizer-json.ts";
import { learnMerges } from "./bpe-trainer.ts";
import { BYTE_COUNT, BYTES_PER_UNIT, bytesById, fillBytes } from "./byte-alphabet-ids.ts";
import { plainBpe } from "../tokenizer-json.ts";
import { roomBeside, vocabOf } from "./learned-model.ts";
import { layOutPieces } from "./symbol-cells.ts";
import type { KindTrainer } from "./types.ts";

const DEFAULT_PRE_TOKENIZER = "qwen2";

export const trainBpe: KindTrainer = {
  takes: ["preTokenizer"],
  roles: { bos: "<|endoftext|>", eos: "<|endoftext|>" },

  pipeline: ({ preTokenizer = DEFAULT_PRE_TOKENIZER }) => ({
    normalizer: null,
    preTokenizer: preTokenizerJson(preTokenizer).component,
    unit: "file",
  }),

  learn({ pieces, specials, options }) {
    const { vocabularySize, countMin = 2, preTokenizer = DEFAULT_PRE_TOKENIZER, onProgress, signal } = options;
    const baseCount = BYTE_COUNT;
    const mergesMax = roomBeside(vocabularySize, specials.texts.length, baseCount);
    const spellings = bytesById.map(characterOfByte);
    const taken = new Set(specials.texts);
    const corpus = layOutPieces(pieces, fillBytes, BYTES_PER_UNIT, baseCount + mergesMax);
    const { lefts, rights } = learnMerges(corpus, {
      baseCount,
      mergesMax,
      countMin,
      allows: (left, right) => !taken.has(spellings[left] + spellings[right]),
      onMerge(left, right, merged) {
        spellings.push(spellings[left] + spellings[right]);
        if (merged % 256 !== 0) return;
        signal?.throwIfAborted();
        onProgress?.({ label: "merge", done: merged - baseCount, total: mergesMax, unit: "items" });
      },
    });
    const texts = [...specials.texts, ...spellings];
    return {
      model: {
        ...plainBpe,
        ignore_merges: preTokenizerJson(preTokenizer).ignoreMerges,
        vocab: vocabOf(texts),
        merges: lefts.map((left, i) => [spellings[left], spellings[rights[i]]]),
      },
      decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      vocabularySize: texts.length,
    };
  },
};
