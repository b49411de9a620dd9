// The layer's edge: file facts → model → graph.
export * from "./model.ts";
export { readModel } from "./registry.ts";
export { type TraceOptions, traceModel } from "./trace.ts";
