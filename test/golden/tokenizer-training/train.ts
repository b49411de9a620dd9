// Trains the tokenizers of this folder; make.py adds what the tokenizers library gives with them.
import { readFileSync, writeFileSync } from "node:fs";
import { type TrainingKind, trainTokenizer, type TrainTokenizerOptions } from "../../../src/text/training/index.ts";

export const goldenOptions: Readonly<Record<string, Omit<TrainTokenizerOptions, "kind"> & { kind: TrainingKind }>> = {
  bpe: { kind: "bpe", vocabularySize: 700, specials: { tokens: ["<|im_start|>", "<|im_end|>"] } },
  unigram: { kind: "unigram", vocabularySize: 1200, specials: { addEos: true } },
  wordpiece: { kind: "wordpiece", vocabularySize: 1200 },
  characters: { kind: "characters", vocabularySize: 900, specials: { addBos: true } },
};

export const goldenFile = (name: string): string => `${import.meta.dirname}/${name}`;
export const goldenTexts = ["en.txt", "zh.txt"].map(goldenFile);

if (import.meta.main) {
  const texts = goldenTexts.map((path) => readFileSync(path, "utf8"));
  for (const [name, options] of Object.entries(goldenOptions)) {
    const { tokenizer, tokenizerConfig } = await trainTokenizer({ texts }, options);
    writeFileSync(goldenFile(`trained-${name}.json`), JSON.stringify({ tokenizer, tokenizerConfig, cases: [] }));
  }
}
