// Reads the files of llama2.c: the version-0 checkpoint (`model.bin`: seven i32, then f32 weights, layers stacked) and
// the tokenizer (`tokenizer.bin`: the longest piece's length, then score, length and text of each piece).
// Source: github.com/karpathy/llama2.c, run.c and export.py. Not here: turning them into a model (convert/).
import { FormatError, UnsupportedError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";

const VERSION_MAGIC = 0x616b3432; // "ak42": where versions 1 and 2 begin, version 0 has its width
const SIZE_MAX = 2 ** 24; // above any width, layer count or window; keeps every product exact

export interface Llama2cConfig {
  readonly width: number;
  readonly feedForwardWidth: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocabularySize: number;
  /** Tokens. */
  readonly window: number;
  /** The output matrix is the embedding. */
  readonly tied: boolean;
}

/** f32, outermost size first; the first of three sizes is the layer. Names are run.c's. */
export interface Llama2cTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface Llama2cCheckpoint {
  readonly config: Llama2cConfig;
  readonly tensors: ReadonlyMap<string, Llama2cTensor>;
}

/** Reads a checkpoint's header and lists its tensors; throws FormatError when the file's size is not theirs. */
export async function readLlama2c(source: ByteSource): Promise<Llama2cCheckpoint> {
  const headerBytes = 7 * 4;
  if (source.size < headerBytes) {
    throw new FormatError(source.name, "size", `${source.size} bytes`, `at least ${headerBytes}, the header`);
  }
  const header = new Uint8Array(headerBytes);
  await source.read(0, header);
  const config = readConfig(source.name, new Int32Array(header.buffer));
  const tensors = new Map<string, Llama2cTensor>();
  let offset = headerBytes;
  for (const [name, shape] of layout(config)) {
    const byteLength = shape.reduce((product, size) => product * size, 4);
    tensors.set(name, { name, shape, offset, byteLength });
    offset += byteLength;
  }
  if (offset !== source.size) {
    throw new FormatError(source.name, "size", `${source.size} bytes`, `${offset}, as the sizes in the header say`);
  }
  return { config, tensors };
}

function readConfig(file: string, header: Int32Array): Llama2cConfig {
  if (header[0] === VERSION_MAGIC) {
    throw new UnsupportedError(`${file} is a llama2.c checkpoint of version ${header[1]}.`, {
      hint: "Export it as version 0, or as a Hugging Face folder.",
    });
  }
  const names = ["dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len"];
  for (const [i, name] of names.entries()) {
    // a negative vocabulary size says that the output matrix is one of its own
    const size = name === "vocab_size" ? Math.abs(header[i]) : header[i];
    if (size < 1 || size > SIZE_MAX) throw new FormatError(file, name, header[i], `1 to ${SIZE_MAX}`);
  }
  const [width, feedForwardWidth, layers, heads, kvHeads, vocabularySize, window] = header;
  if (width % heads !== 0 || (width / heads) % 2 !== 0) {
    throw new FormatError(file, "n_heads", heads, `heads of an even size in a width of ${width}`);
  }
  if (heads % kvHeads !== 0) throw new FormatError(file, "n_kv_heads", kvHeads, `a divisor of ${heads} heads`);
  const sizes = { width, feedForwardWidth, layers, heads, kvHeads, window };
  return { ...sizes, vocabularySize: Math.abs(vocabularySize), tied: vocabularySize > 0 };
}

function layout(config: Llama2cConfig): [name: string, shape: number[]][] {
  const { width, feedForwardWidth, layers, heads, kvHeads, vocabularySize, window, tied } = config;
  const headSize = width / heads;
  const kvWidth = kvHeads * headSize;
  return [
    ["token_embedding_table", [vocabularySize, width]],
    ["rms_att_weight", [layers, width]],
    ["wq", [layers, width, width]],
    ["wk", [layers, kvWidth, width]],
    ["wv", [layers, kvWidth, width]],
    ["wo", [layers, width, width]],
    ["rms_ffn_weight", [layers, width]],
    ["w1", [layers, feedForwardWidth, width]],
    ["w2", [layers, width, feedForwardWidth]],
    ["w3", [layers, feedForwardWidth, width]],
    ["rms_final_weight", [width]],
    ["freq_cis_real", [window, headSize / 2]],
    ["freq_cis_imag", [window, headSize / 2]],
    ...(tied ? [] : [["wcls", [vocabularySize, width]] satisfies [string, number[]]]),
  ];
}

export interface Llama2cTokenizer {
  /** Text of each piece, spaces as spaces; bytes as "<0x0A>". */
  readonly pieces: readonly string[];
  readonly scores: Float32Array;
}

/** Parses a tokenizer file; throws FormatError naming the piece. */
export function parseLlama2cTokenizer(file: string, bytes: Uint8Array): Llama2cTokenizer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  if (bytes.byteLength < 4) throw new FormatError(file, "size", `${bytes.byteLength} bytes`, "at least 4");
  const longest = view.getUint32(0, true);
  const pieces: string[] = [];
  const scores: number[] = [];
  for (let at = 4; at < bytes.byteLength;) {
    const piece = `piece[${pieces.length}]`;
    const left = bytes.byteLength - at - 8;
    if (left < 0) throw new FormatError(file, piece, `${left + 8} bytes`, "at least 8, its score and length");
    const length = view.getInt32(at + 4, true);
    const most = Math.min(left, longest);
    if (length < 0 || length > most) throw new FormatError(file, `${piece} length`, length, `0 to ${most} bytes`);
    scores.push(view.getFloat32(at, true));
    at += 8;
    try {
      pieces.push(utf8.decode(bytes.subarray(at, at + length)));
    } catch (cause) {
      throw new FormatError(file, piece, "bytes that are no UTF-8", "UTF-8 text", { cause });
    }
    at += length;
  }
  if (pieces.length === 0) throw new FormatError(file, "pieces", 0, "at least one");
  return { pieces, scores: Float32Array.from(scores) };
}
