// The objectives of all stages.
export * from "./advantages.ts";
export * from "./best-of-n.ts";
export * from "./contrastive.ts";
export * from "./distill.ts";
export * from "./dpo.ts";
export * from "./grpo.ts";
export * from "./hinge.ts";
export * from "./ipo.ts";
export * from "./kto.ts";
export * from "./masked-tokens.ts";
export * from "./next-token.ts";
export * from "./objective.ts";
export * from "./orpo.ts";
export * from "./ppo.ts";
export * from "./reward.ts";
export * from "./rloo.ts";
export * from "./simpo.ts";
