// Settings that only DeepSeek's generations have: the sizes of latent attention, how rows are routed to experts, and yarn
// with a magnitude that scores take too. GGUF files are written in the form that has heads' matrices apart.
import { UnsupportedError } from "../base/errors.ts";
import { shortestDecimal } from "../base/shortest-decimal.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import type { Model } from "../models/index.ts";
import { ropeSettings } from "../models/rope-config.ts";
import { count, flag, real, text } from "./entries.ts";
import type { Settings } from "./forms.ts";

const SCALING = "rope.scaling";
const LOG_MULTIPLIER = `${SCALING}.yarn_log_multiplier`;
const ORIGINAL = "original_max_position_embeddings";
/** `expert_gating_func`. */
const [SOFTMAX, SIGMOID] = [1, 2];

/** Each head has a matrix of its own. */
export const latentHeads = ({ parameters }: Model): number =>
  parameters.get("layers.0.attention.keyUp.weight")!.matrices!;

const isV3 = ({ family }: Model): boolean => family === "deepseek_v3";

export function deepseekToGguf({ model, config }: Settings): [string, GgufEntry][] {
  const [latent, rotated] = [config.size("kv_lora_rank"), config.size("qk_rope_head_dim")];
  const queryLatent = config.find("q_lora_rank") === undefined ? undefined : config.size("q_lora_rank");
  const plain = config.size("qk_nope_head_dim");
  const isSigmoid = isV3(model);
  return [
    ["attention.head_count_kv", count(1)],
    ["attention.key_length", count(latent + rotated)],
    ["attention.value_length", count(latent)],
    ["attention.key_length_mla", count(plain + rotated)],
    ["attention.value_length_mla", count(config.size("v_head_dim"))],
    ["attention.kv_lora_rank", count(latent)],
    ...(queryLatent === undefined ? [] : [["attention.q_lora_rank", count(queryLatent)] as [string, GgufEntry]]),
    ["rope.dimension_count", count(rotated)],
    ["leading_dense_block_count", count(config.count("first_k_dense_replace", isSigmoid ? 3 : 0))],
    ["expert_count", count(config.size("n_routed_experts"))],
    ["expert_used_count", count(config.size("num_experts_per_tok"))],
    ["expert_shared_count", count(config.count("n_shared_experts", 0))],
    ["expert_feed_forward_length", count(config.size("moe_intermediate_size"))],
    ["expert_weights_scale", real(config.number("routed_scaling_factor", isSigmoid ? 2.5 : 1))],
    ["expert_weights_norm", flag(isSigmoid && config.boolean("norm_topk_prob", true))],
    ["expert_gating_func", count(isSigmoid ? SIGMOID : SOFTMAX)],
    ["expert_group_count", count(config.size("n_group", 1))],
    ["expert_group_used_count", count(config.size("topk_group", 1))],
    ...ropeEntries({ model, config }),
  ];
}

function ropeEntries({ config }: Pick<Settings, "model" | "config">): [string, GgufEntry][] {
  const settings = ropeSettings(config);
  const theta = (settings?.find("rope_theta") === undefined ? config : settings).number("rope_theta", 10_000);
  const base: [string, GgufEntry] = ["rope.freq_base", real(theta)];
  const type = settings?.string("rope_type", settings.string("type", "default")) ?? "default";
  if (settings === undefined || type === "default") return [base];
  const [mscale, allDim] = ["mscale", "mscale_all_dim"].map((key) => settings.numberOrZero(key, 0));
  if (type !== "yarn" || mscale !== allDim || mscale === 0) {
    throw new UnsupportedError(
      `rope_scaling is ${type} with mscale ${mscale} and mscale_all_dim ${allDim}; GGUF has words for yarn with equal ones.`,
    );
  }
  return [
    base,
    [`${SCALING}.type`, text("yarn")],
    [`${SCALING}.factor`, real(settings.number("factor"))],
    [`${SCALING}.original_context_length`, count(settings.size(ORIGINAL))],
    [`${SCALING}.yarn_beta_fast`, real(settings.number("beta_fast", 32))],
    [`${SCALING}.yarn_beta_slow`, real(settings.number("beta_slow", 1))],
    [LOG_MULTIPLIER, real(allDim / 10)],
  ];
}

export function deepseekToHf({ model, config, heads }: Settings): Record<string, unknown> {
  const isSigmoid = isV3(model);
  const isAbsorbed = config.find("attention.key_length_mla") !== undefined;
  const length = (part: string): number => config.size(`attention.${part}_length${isAbsorbed ? "_mla" : ""}`);
  const rotated = config.size("rope.dimension_count");
  const groups = config.size("expert_group_count", 1);
  return {
    num_key_value_heads: heads,
    q_lora_rank: config.find("attention.q_lora_rank") === undefined ? null : config.size("attention.q_lora_rank"),
    kv_lora_rank: config.size("attention.kv_lora_rank"),
    qk_nope_head_dim: length("key") - rotated,
    qk_rope_head_dim: rotated,
    v_head_dim: length("value"),
    first_k_dense_replace: config.count("leading_dense_block_count", 0),
    moe_layer_freq: 1,
    moe_intermediate_size: config.size("expert_feed_forward_length"),
    n_routed_experts: config.size("expert_count"),
    n_shared_experts: config.count("expert_shared_count", 0),
    num_experts_per_tok: config.size("expert_used_count"),
    norm_topk_prob: config.boolean("expert_weights_norm", false),
    routed_scaling_factor: shortestDecimal(config.numberOrZero("expert_weights_scale", 1) || 1),
    n_group: groups,
    topk_group: config.size("expert_group_used_count", 1),
    scoring_func: isSigmoid ? "sigmoid" : "softmax",
    topk_method: isSigmoid ? "noaux_tc" : groups > 1 ? "group_limited_greedy" : "greedy",
    rope_theta: shortestDecimal(config.number("rope.freq_base", 10_000)),
    rope_scaling: ropeScaling(config),
  };
}

function ropeScaling(config: Settings["config"]): object | null {
  if (config.string(`${SCALING}.type`, "none") === "none") return null;
  const decimal = (key: string, byDefault: number): number =>
    shortestDecimal(config.number(`${SCALING}.${key}`, byDefault));
  const multiplier = config.numberOrZero(LOG_MULTIPLIER, 0);
  const mscale = Number((10 * shortestDecimal(multiplier)).toPrecision(8)); // a tenth of it is an f32
  return {
    type: config.string(`${SCALING}.type`),
    factor: decimal("factor", 1),
    [ORIGINAL]: config.size(`${SCALING}.original_context_length`),
    beta_fast: decimal("yarn_beta_fast", 32),
    beta_slow: decimal("yarn_beta_slow", 1),
    ...(mscale !== 0 && { mscale, mscale_all_dim: mscale }),
  };
}
