export { trainTokenizer } from "./train-tokenizer.ts";
export { checkNoTokenizer, writeTokenizer } from "./write-tokenizer.ts";
export { trainingKinds } from "./types.ts";
export type { TrainedTokenizer, TrainingKind, TrainTokenizerOptions } from "./types.ts";
export type { TrainingTexts } from "./count-pieces.ts";
export type { SpecialOptions, SpecialRoles } from "./specials.ts";
