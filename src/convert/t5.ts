// Settings that only T5 has: two stacks of layers, buckets of distances, a gate or none.
import { UnsupportedError } from "../base/errors.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import type { Encoder, Model } from "../models/model.ts";
import { T5_MAX_DISTANCE } from "../models/t5.ts";
import { count, real } from "./entries.ts";
import type { Settings } from "./forms.ts";

export { T5_MAX_DISTANCE };

const encoderOf = ({ family, encoder }: Model): Encoder => {
  if (encoder === undefined) throw new UnsupportedError(`The family ${family} has no encoder.`);
  return encoder;
};

const bucketsOf = ({ parameters }: Model): number => parameters.get("distances.weight")!.rows;

export function t5ToGguf({ model, config }: Settings): [string, GgufEntry][] {
  const { layers, startId } = encoderOf(model);
  return [
    ["block_count", count(layers)],
    ["decoder_block_count", count(model.layers)],
    ["attention.layer_norm_epsilon", real(config.number("layer_norm_epsilon", 1e-6))],
    ["attention.relative_buckets_count", count(bucketsOf(model))],
    ["decoder_start_token_id", count(startId)],
  ];
}

export function t5ToHf({ model }: Settings): Record<string, unknown> {
  const { layers, startId } = encoderOf(model);
  return {
    num_layers: layers,
    relative_attention_num_buckets: bucketsOf(model),
    feed_forward_proj: model.parameters.has("layers.0.mlp.gate.weight") ? "gated-gelu" : "relu",
    decoder_start_token_id: startId,
  };
}
