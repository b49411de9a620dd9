// What GGUF metadata says of DeepSeek's generations, which llama.cpp calls deepseek2. Files made since it knows latent
// attention's absorbed form speak of one key-value head, whose size is that of the cached rows; older ones of all heads.
import { type Routing, yarnMagnitude } from "../nn/index.ts";
import { Config } from "./config.ts";
import { ggufRefusals } from "./decoder.ts";
import { type DeepseekShape, LATENT_EPSILON, mixtureFrom } from "./deepseek-shape.ts";
import type { ModelFacts } from "./model.ts";
import { ggufRopeScaling, ggufWindow, ropeTable } from "./rope-config.ts";

/** How experts are scored, by `expert_gating_func`. */
const SCORES: Readonly<Record<number, Routing["scores"]>> = { 1: "softmax", 2: "sigmoid" };

const LOG_MULTIPLIER = "rope.scaling.yarn_log_multiplier";

export function readDeepseekGguf(facts: ModelFacts): DeepseekShape {
  const config = new Config(facts.file, facts.config, "deepseek2.");
  const { expert_count: _, ...refusals } = ggufRefusals;
  config.only(refusals);
  const { tensors } = facts;
  const heads = config.size("attention.head_count");
  const latent = config.size("attention.kv_lora_rank");
  const rotated = config.size("rope.dimension_count");
  const isAbsorbed = config.find("attention.key_length_mla") !== undefined;
  const length = (part: "key" | "value"): number => config.size(`attention.${part}_length${isAbsorbed ? "_mla" : ""}`);
  const [plain, valueSize] = [length("key") - rotated, length("value")];
  if (plain < 1)
    throw config.error("attention.key_length", plain + rotated, `more than the ${rotated} rotated columns`);
  const layers = config.size("block_count");
  if (layers > tensors.size) throw config.error("block_count", layers, `at most the file's ${tensors.size} tensors`);
  const experts = config.size("expert_count");
  const first = config.count("leading_dense_block_count", 0);
  const hasBias = tensors.has(`blk.${first}.exp_probs_b.bias`);
  const scores = config.find("expert_gating_func") === undefined && hasBias ? "sigmoid" : scoresOf(config);
  const groups = config.size("expert_group_count", 1);
  const routing: Routing = {
    experts,
    chosen: config.size("expert_used_count"),
    scores,
    renormalised: config.boolean("expert_weights_norm", false),
    scale: config.numberOrZero("expert_weights_scale", 1) || 1, // old files say 0 for none
    ...(groups > 1 && {
      groups: { count: groups, kept: config.size("expert_group_used_count"), by: scores === "sigmoid" ? 2 : 1 },
    }),
  };
  const forwardWidth = config.size("expert_feed_forward_length");
  const shared = config.count("expert_shared_count", 0);
  const multiplier = config.numberOrZero(LOG_MULTIPLIER, 0);
  const scaling = ggufRopeScaling(config, facts);
  // here the converter writes a tenth of mscale_all_dim, and what cos and sin are multiplied by cancels out
  const magnitude = multiplier === 0 ? 1 : yarnMagnitude(config.number("rope.scaling.factor", 1), 10 * multiplier);
  return {
    family: hasBias ? "deepseek_v3" : "deepseek_v2",
    sizes: {
      vocabularySize: tensors.get("token_embd.weight")?.shape[0] ?? 0,
      window: ggufWindow(config, facts),
      width: config.size("embedding_length"),
      forwardWidth: config.size("feed_forward_length"),
      layers,
      heads,
      kvHeads: 1,
      headSize: latent + rotated,
      epsilon: config.number("attention.layer_norm_rms_epsilon"),
    },
    latent: {
      heads,
      latent,
      plain,
      rotated,
      layout: "interleaved",
      scale: (plain + rotated) ** -0.5 * magnitude ** 2,
      epsilon: LATENT_EPSILON,
    },
    queryLatent: config.find("attention.q_lora_rank") === undefined ? undefined : config.size("attention.q_lora_rank"),
    valueSize,
    rope: ropeTable(
      "main",
      config.number("rope.freq_base", 10_000),
      rotated,
      multiplier === 0 ? scaling : { ...scaling, magnitude: 1 },
    ),
    mixture: mixtureFrom(first, routing, forwardWidth, shared),
    bias: "optional",
    tied: "optional",
    ggufJoined: tensors.has("blk.0.attn_kv_b.weight"),
  };
}

function scoresOf(config: Config): Routing["scores"] {
  const number = config.count("expert_gating_func", 1);
  if (Object.hasOwn(SCORES, number)) return SCORES[number];
  throw config.error("expert_gating_func", number, "1 (softmax) or 2 (sigmoid)");
}
