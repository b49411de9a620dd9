// The layer's edge: smaller copies of models.
export { isImportanceFile, measureImportance, readImportance, writeImportance } from "./importance.ts";
export type { MeasuredImportance } from "./importance.ts";
export { type Ladder, type Rung, ladderTypes, measureLadder, typesUpTo } from "./ladder.ts";
export { ladderPlot } from "./ladder-plot.ts";
export { type MixName, mixNamed, mixNames } from "./mixes.ts";
export { quantize } from "./quantize.ts";
export * from "./types.ts";
