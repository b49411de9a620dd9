// Small models with random weights in the mixtures of formats that real files have, as whole graphs: what lowering puts
// together only shows there.
import type { ParameterStore } from "../../src/device/executor.ts";
import { type FileTensor, type Model, readModel } from "../../src/models/index.ts";
import type { FormatName } from "../../src/numeric/registry.ts";
import { memoryStore, randomParameter } from "../cpu/stores.ts";

const WIDTH = 256;
const HIDDEN = 256;
const HEADS = 2;
const KEY_HEADS = 1;
const VOCABULARY = 37;

const common = {
  hidden_size: WIDTH,
  intermediate_size: HIDDEN,
  num_attention_heads: HEADS,
  num_key_value_heads: KEY_HEADS,
  vocab_size: VOCABULARY,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
};

const matrices = (headSize: number): Record<string, readonly number[]> => ({
  "self_attn.q_proj": [HEADS * headSize, WIDTH],
  "self_attn.k_proj": [KEY_HEADS * headSize, WIDTH],
  "self_attn.v_proj": [KEY_HEADS * headSize, WIDTH],
  "self_attn.o_proj": [WIDTH, HEADS * headSize],
  "mlp.gate_proj": [HIDDEN, WIDTH],
  "mlp.up_proj": [HIDDEN, WIDTH],
  "mlp.down_proj": [WIDTH, HIDDEN],
});

interface Family {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: number;
  readonly headSize: number;
  /** Of each layer. */
  readonly vectors: Readonly<Record<string, number>>;
}

const families = {
  qwen2: {
    config: { ...common, model_type: "qwen2", num_hidden_layers: 1, hidden_act: "silu", rope_theta: 1e6 },
    layers: 1,
    headSize: 128,
    vectors: {
      "input_layernorm.weight": WIDTH,
      "post_attention_layernorm.weight": WIDTH,
      "self_attn.q_proj.bias": HEADS * 128,
      "self_attn.k_proj.bias": KEY_HEADS * 128,
      "self_attn.v_proj.bias": KEY_HEADS * 128,
    },
  },
  gemma3_text: {
    config: {
      ...common,
      model_type: "gemma3_text",
      num_hidden_layers: 2,
      head_dim: 64,
      hidden_activation: "gelu_pytorch_tanh",
      query_pre_attn_scalar: 64,
      sliding_window: 6,
      _sliding_window_pattern: 2,
      rope_theta: 1e6,
      rope_local_base_freq: 1e4,
    },
    layers: 2,
    headSize: 64,
    vectors: {
      "input_layernorm.weight": WIDTH,
      "post_attention_layernorm.weight": WIDTH,
      "pre_feedforward_layernorm.weight": WIDTH,
      "post_feedforward_layernorm.weight": WIDTH,
      "self_attn.q_norm.weight": 64,
      "self_attn.k_norm.weight": 64,
    },
  },
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;

/** A family's model; `formatOf`: of a matrix, by its name in the file. */
export function smallModel(
  name: FamilyName,
  formatOf: (matrix: string) => FormatName,
): { model: Model; store: ParameterStore } {
  const { config, layers, headSize, vectors } = families[name];
  const tensors = new Map<string, FileTensor>();
  const add = (name: string, shape: readonly number[], format: FormatName): void =>
    void tensors.set(name, { name, shape, format });
  add("model.embed_tokens.weight", [VOCABULARY, WIDTH], formatOf("embed_tokens"));
  add("model.norm.weight", [WIDTH], "f32");
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}.`;
    for (const [name, size] of Object.entries(vectors)) add(at + name, [size], "f32");
    for (const [name, shape] of Object.entries(matrices(headSize))) add(`${at}${name}.weight`, shape, formatOf(name));
  }
  const model = readModel({ file: name, kind: "hf", config, tensors });
  const parameters = [...model.parameters].map(([name, { vector, rows, columns, pieces }], i) => {
    const format = vector ? "f32" : tensors.get(pieces[0].tensor)!.format;
    return [name, randomParameter(i, format, rows, columns)] as const;
  });
  return { model, store: memoryStore(Object.fromEntries(parameters)) };
}
