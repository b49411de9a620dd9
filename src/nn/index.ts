// The layer's edge: the parts that families are composed of.
export * from "./alibi.ts";
export * from "./attention.ts";
export * from "./experts.ts";
export * from "./latent-attention.ts";
export * from "./lora.ts";
export * from "./mlp.ts";
export * from "./norm.ts";
export * from "./rope.ts";
export * from "./rope-scaling.ts";
export * from "./weights.ts";
