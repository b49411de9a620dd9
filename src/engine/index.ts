// The layer's edge: a model that runs, token ids in and out.
export * from "./types.ts";
