// Liang as a library: `import { load } from "liang"`. This is the whole door; docs/library.md walks through it.
export { load } from "./chat/load.ts";
export { describeModel, resolveModel, type ModelDescription } from "./chat/describe.ts";
export * from "./door.ts";
