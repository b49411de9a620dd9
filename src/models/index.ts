// The layer's edge: file facts → model → graph.
export * from "./model.ts";
export { imageRows, patchColumns } from "./image-tower.ts";
export { ROPE_DIVISORS } from "./rope-config.ts";
export { type RopeChoice, readScaledModel, ropeChoices } from "./rope-override.ts";
export { fillRopes } from "./rope-inputs.ts";
export { type FamilyRow, families, newModel, readModel } from "./registry.ts";
export type { MakeWeight, RowTrace, RowTraceOptions, TraceOptions, WeightOptions } from "./trace.ts";
export { adapterState, headOf, traceModel, traceRows, weightState, writes } from "./trace.ts";
