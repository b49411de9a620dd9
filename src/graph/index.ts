// The layer's edge: traced tensors and the ops a forward pass is written in.
export * from "./shape.ts";
export * from "./tensor.ts";
export * from "./ops/attention.ts";
export * from "./ops/block-max.ts";
export * from "./ops/elementwise.ts";
export * from "./ops/gather.ts";
export * from "./ops/linear.ts";
export * from "./ops/norm.ts";
export * from "./ops/rope.ts";
export * from "./ops/write-rows.ts";
