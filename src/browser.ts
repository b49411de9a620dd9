// Liang as a library in a browser's worker: `import { load } from "liang/browser"`; docs/browser.md walks through it.
export { load, type ModelSource } from "./chat/load-files.ts";
export * from "./door.ts";
