// The layer's edge: a model that runs, token ids in and out.
export * from "./types.ts";
export * from "./sampler.ts";
export * from "./sampling/candidates.ts";
export * from "./sampling/row-scan.ts";
export * from "./sampling/settings.ts";
