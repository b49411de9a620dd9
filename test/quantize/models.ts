// Models for the tests of quantization: a llama of random weights whose rows are whole blocks of K-quants.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { uniform } from "../../src/base/random.ts";
import { type SafetensorToWrite, writeSafetensors } from "../../src/format/safetensors.ts";
import { newModel } from "../../src/models/index.ts";

const config = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  vocab_size: 64,
  hidden_size: 256,
  intermediate_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
};

/** A folder without a tokenizer; weights are uniform, gains 1. */
export async function writeWideModel(folder: string): Promise<void> {
  const { weightRows, parameters } = newModel(config);
  const tensors: SafetensorToWrite[] = weightRows
    .filter(({ parameter }) => parameters.has(parameter))
    .map(({ hf, shape }, stream) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const values = Float32Array.from({ length: count }, (_, i) =>
        shape.length === 1 ? 1 : (2 * uniform(3, stream, i) - 1) / 8,
      );
      return { name: hf, shape, dtype: "F32", data: () => [new Uint8Array(values.buffer)] };
    });
  const pieces: Uint8Array[] = [];
  await writeSafetensors({ append: async (piece) => void pieces.push(piece.slice()) }, tensors, { format: "pt" });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "model.safetensors"), Buffer.concat(pieces));
}
