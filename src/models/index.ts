// The layer's edge: file facts → model → graph.
export * from "./model.ts";
export { newModel, readModel } from "./registry.ts";
export { type RowTrace, type RowTraceOptions, type TraceOptions, traceModel, traceRows, weightState } from "./trace.ts";
