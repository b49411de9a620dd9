// The layer's edge: a model that runs, token ids in and out.
export * from "./types.ts";
export * from "./encoder.ts";
export type { ImageRows, RowSequence, TextRows } from "./row-inputs.ts";
export * from "./engine.ts";
export { openFileStore, readModelFiles } from "./file-store.ts";
export * from "./plan.ts";
export * from "./sampler.ts";
export * from "./sampling/settings.ts";
