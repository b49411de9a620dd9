// A llama2.c checkpoint seen as the GGUF file it becomes: the layers of its stacked tensors under GGUF's names, and
// metadata made of its header and its tokenizer file. Its q and k are already in the order of GGUF's llama, since both
// turn neighbouring pairs. Source: run.c of github.com/karpathy/llama2.c.
import { FormatError, NotFoundError } from "../base/errors.ts";
import { fileFacts, joinPath, openFile, readBytes, splitPath } from "#platform";
import { type GgufEntry, plainMetadata } from "../format/gguf-types.ts";
import { type Llama2cCheckpoint, type Llama2cConfig, parseLlama2cTokenizer, readLlama2c } from "../format/llama2c.ts";
import { type PlacedTensor, tensorAccess, type TensorSource } from "../format/tensor-source.ts";
import { count, flag, floats, integers, real, text, texts } from "./entries.ts";

export interface Llama2cSource extends TensorSource {
  readonly entries: ReadonlyMap<string, GgufEntry>;
}

/** run.c's names and GGUF's; # is the layer. What run.c has besides is a table of rope angles. */
const NAMES: Readonly<Record<string, string>> = {
  token_embedding_table: "token_embd.weight",
  rms_att_weight: "blk.#.attn_norm.weight",
  wq: "blk.#.attn_q.weight",
  wk: "blk.#.attn_k.weight",
  wv: "blk.#.attn_v.weight",
  wo: "blk.#.attn_output.weight",
  rms_ffn_weight: "blk.#.ffn_norm.weight",
  w1: "blk.#.ffn_gate.weight",
  w2: "blk.#.ffn_down.weight",
  w3: "blk.#.ffn_up.weight",
  rms_final_weight: "output_norm.weight",
  wcls: "output.weight",
};

const EPSILON = 1e-5; // rmsnorm in run.c
const ROPE_BASE = 10_000;
const UNKNOWN = 0;
const BEGIN = 1;
const TOKENIZER_BYTES_MAX = 64 * 2 ** 20;

/** GGUF's `token_type`. */
const TYPES = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

/** Opens a checkpoint and its tokenizer: `tokenizer`, else tok<V>.bin or tokenizer.bin beside it. */
export async function openLlama2c(path: string, tokenizer?: string): Promise<Llama2cSource> {
  const source = await openFile(path);
  try {
    const checkpoint = await readLlama2c(source);
    const { config } = checkpoint;
    const vocabulary = tokenizer ?? (await tokenizerBeside(path, config.vocabularySize));
    const entries = new Map([...modelEntries(path, config), ...(await tokenizerEntries(vocabulary, config))]);
    const placed = [...placedTensors(checkpoint)].map((tensor) => ({ ...tensor, source }));
    const access = tensorAccess(path, [source], placed);
    return { ...access, kind: "gguf", config: plainMetadata(entries), entries };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function* placedTensors({ tensors }: Llama2cCheckpoint): Generator<Omit<PlacedTensor, "source">> {
  for (const [name, place] of Object.entries(NAMES)) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue; // no wcls where the embedding is the head
    const isStacked = place.includes("#");
    const layers = isStacked ? tensor.shape[0] : 1;
    const shape = isStacked ? tensor.shape.slice(1) : tensor.shape;
    const byteLength = tensor.byteLength / layers;
    for (let layer = 0; layer < layers; layer++) {
      const offset = tensor.offset + layer * byteLength;
      yield { name: place.replace("#", String(layer)), shape, typeName: "f32", format: "f32", byteLength, offset };
    }
  }
}

function modelEntries(path: string, config: Llama2cConfig): [string, GgufEntry][] {
  const { width, feedForwardWidth, layers, heads, kvHeads, vocabularySize, window } = config;
  return [
    ["general.architecture", text("llama")],
    ["general.type", text("model")],
    ["general.name", text(splitPath(path).name.replace(/\.bin$/, ""))],
    ["llama.context_length", count(window)],
    ["llama.embedding_length", count(width)],
    ["llama.block_count", count(layers)],
    ["llama.feed_forward_length", count(feedForwardWidth)],
    ["llama.attention.head_count", count(heads)],
    ["llama.attention.head_count_kv", count(kvHeads)],
    ["llama.attention.layer_norm_rms_epsilon", real(EPSILON)],
    ["llama.rope.dimension_count", count(width / heads)],
    ["llama.rope.freq_base", real(ROPE_BASE)],
    ["llama.vocab_size", count(vocabularySize)],
  ];
}

async function tokenizerBeside(path: string, vocabularySize: number): Promise<string> {
  const { folder } = splitPath(path);
  const names = [`tok${vocabularySize}.bin`, "tokenizer.bin"];
  for (const name of names) {
    const file = joinPath(folder, name);
    if (await fileFacts(file)) return file;
  }
  throw new NotFoundError(`There is no tokenizer beside ${path}: neither ${names.join(" nor ")}.`, {
    hint: "Name it with --tokenizer FILE.",
  });
}

async function tokenizerEntries(path: string, { vocabularySize }: Llama2cConfig): Promise<[string, GgufEntry][]> {
  const { pieces, scores } = parseLlama2cTokenizer(path, await readBytes(path, TOKENIZER_BYTES_MAX));
  if (pieces.length !== vocabularySize) {
    throw new FormatError(path, "pieces", pieces.length, `${vocabularySize}, the checkpoint's vocabulary`);
  }
  const tokens = pieces.map((piece, id) => (isControl(id) ? piece.trim() : piece.replaceAll(" ", "▁")));
  return [
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.pre", text("default")],
    ["tokenizer.ggml.tokens", texts(tokens)],
    ["tokenizer.ggml.scores", floats(Float32Array.from(scores))],
    ["tokenizer.ggml.token_type", integers(Int32Array.from(pieces, typeOf))],
    ["tokenizer.ggml.bos_token_id", count(BEGIN)],
    // in training a text is followed by the next one's BOS, and run.c ends there
    ["tokenizer.ggml.eos_token_id", count(BEGIN)],
    ["tokenizer.ggml.unknown_token_id", count(UNKNOWN)],
    ["tokenizer.ggml.add_bos_token", flag(true)],
    ["tokenizer.ggml.add_eos_token", flag(false)],
    ["tokenizer.ggml.add_space_prefix", flag(true)],
  ];
}

/** Ids 1 and 2 are "<s>" and "</s>", written between line feeds. */
const isControl = (id: number): boolean => id === 1 || id === 2;

function typeOf(piece: string, id: number): number {
  if (id === UNKNOWN) return TYPES.unknown;
  if (isControl(id)) return TYPES.control;
  return /^<0x[0-9A-F]{2}>$/.test(piece) ? TYPES.byte : TYPES.normal;
}
