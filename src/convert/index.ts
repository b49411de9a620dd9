// The layer's edge: models from one kind of file to another.
export { convert } from "./convert.ts";
export * from "./types.ts";
