// A language model is two files: parameters, and the program that runs them. This is the program, whole, with nothing
// imported but Node: it reads a GGUF file of a Llama- or Qwen-shaped model and talks. Slow on purpose: every line is the
// formula. `src/` does the same thing fast; its tests hold the two equal, token for token.
//
//   node run.ts MODEL.gguf                     talk
//   node run.ts MODEL.gguf "Once upon a time"  continue a text
//   options: --max-tokens N  --temperature T (0: always the likeliest)  --json (ids too)
//
// In order: the file, numbers in blocks, the tokenizer, the transformer, the choice of a token, the loop.
// Shapes: T tokens, C width, H heads, G key-value heads, D head size, F feed-forward width, V vocabulary.
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";

// ── 1. The file: a header of named values, a list of tensors, then their bytes (GGUF v3) ─────────────────────────────

type Value = number | boolean | string | Value[];
interface Weight {
  type: number; // how numbers are packed, see BLOCKS
  columns: number;
  rows: number;
  bytes: Uint8Array;
}

function readGguf(path: string): { values: Map<string, Value>; weights: Map<string, Weight> } {
  const file = openSync(path, "r");
  const size = statSync(path).size;
  const bytesAt = (offset: number, length: number): Uint8Array<ArrayBuffer> => {
    if (offset + length > size) throw new Error(`${path} ends early: ${size} bytes, ${offset + length} needed`);
    const bytes = new Uint8Array(length);
    for (let n = 0; n < length;) n += readSync(file, bytes, n, Math.min(length - n, 2 ** 30), offset + n);
    return bytes;
  };

  // The header is read through a window that moves along the file; `take` gives where in it the next bytes lie.
  let at = 0;
  let windowStart = 0;
  let view = new DataView(new ArrayBuffer(0));
  const take = (length: number): number => {
    if (at - windowStart + length > view.byteLength) {
      windowStart = at;
      view = new DataView(bytesAt(at, Math.min(size - at, Math.max(length, 2 ** 20))).buffer);
    }
    at += length;
    return at - windowStart - length;
  };
  const number = (length: number, read: (at: number) => number | bigint) => (): number => Number(read(take(length)));
  const u32 = number(4, (i) => view.getUint32(i, true));
  const u64 = number(8, (i) => view.getBigUint64(i, true));
  const text = (): string => {
    const length = u64();
    const start = take(length);
    return new TextDecoder().decode(new Uint8Array(view.buffer, start, length));
  };
  const array = (): Value[] => {
    const type = u32();
    return Array.from({ length: u64() }, () => readers[type]());
  };
  const readers: (() => Value)[] = [
    number(1, (i) => view.getUint8(i)),
    number(1, (i) => view.getInt8(i)),
    number(2, (i) => view.getUint16(i, true)),
    number(2, (i) => view.getInt16(i, true)),
    u32,
    number(4, (i) => view.getInt32(i, true)),
    number(4, (i) => view.getFloat32(i, true)),
    () => number(1, (i) => view.getUint8(i))() !== 0,
    text,
    array,
    u64,
    number(8, (i) => view.getBigInt64(i, true)),
    number(8, (i) => view.getFloat64(i, true)),
  ]; // by GGUF's value type

  if (u32() !== 0x46554747) throw new Error(`${path} is no GGUF file`); // "GGUF"
  const version = u32();
  if (version !== 2 && version !== 3) throw new Error(`${path} is GGUF version ${version}, this program reads 2 and 3`);
  const tensorCount = u64();
  const valueCount = u64();
  const values = new Map<string, Value>();
  for (let i = 0; i < valueCount; i++) values.set(text(), readers[u32()]());
  const listed = Array.from({ length: tensorCount }, () => {
    const name = text();
    const sizes = Array.from({ length: u32() }, u64); // innermost first
    return { name, columns: sizes[0], rows: sizes.slice(1).reduce((a, b) => a * b, 1), type: u32(), offset: u64() };
  });
  const alignment = (values.get("general.alignment") as number) ?? 32;
  const dataStart = Math.ceil(at / alignment) * alignment;
  const weights = new Map<string, Weight>();
  for (const { name, columns, rows, type, offset } of listed) {
    const block = BLOCKS[type];
    if (block === undefined) throw new Error(`tensor ${name} has type ${type}, which this program does not unpack`);
    const bytes = bytesAt(dataStart + offset, ((rows * columns) / block.weights) * block.bytes);
    weights.set(name, { type, columns, rows, bytes });
  }
  closeSync(file);
  return { values, weights };
}

// ── 2. Numbers in blocks: 4 to 8 bits a weight, with a scale (and an offset) that a block shares ─────────────────────

const halves = new Float32Array(new Float16Array(Uint16Array.from({ length: 65536 }, (_, bits) => bits).buffer));
const half = (b: Uint8Array, at: number): number => halves[b[at] | (b[at + 1] << 8)];

interface Block {
  weights: number;
  bytes: number;
  /** Unpacks one block: bytes `b` from `at` into `x` from `to`. */
  unpack(b: Uint8Array, at: number, x: Float32Array, to: number): void;
}
const word = new Int32Array(1);
const float = new Float32Array(word.buffer); // the same four bytes

/** Q4_0 and Q5_0: d · (q - half its range); the low halves of the bytes first, fifth bits in a word of their own. */
function unpackNibbles(b: Uint8Array, at: number, x: Float32Array, to: number, low: number, five: boolean): void {
  const d = half(b, at);
  const fifths = five ? b[at + 2] | (b[at + 3] << 8) | (b[at + 4] << 16) | (b[at + 5] << 24) : 0;
  for (let i = 0; i < 32; i++) {
    const q = ((b[at + low + (i & 15)] >> (i < 16 ? 0 : 4)) & 15) | (((fifths >>> i) & 1) << 4);
    x[to + i] = d * (q - (five ? 16 : 8));
  }
}

/** Q4_K and Q5_K: 8 groups of 32, each d · scale · q - dMin · minimum; `high`: where the fifth bits lie. */
function unpackPairs(b: Uint8Array, at: number, x: Float32Array, to: number, low: number, high?: number): void {
  const d = half(b, at);
  const dMin = half(b, at + 2);
  for (let j = 0; j < 8; j++) {
    // 8 scales and 8 minima of 6 bits each in 12 bytes
    const s = at + 4 + j;
    const scale = j < 4 ? b[s] & 63 : (b[s + 4] & 15) | ((b[s - 4] >> 6) << 4);
    const minimum = j < 4 ? b[s + 4] & 63 : (b[s + 4] >> 4) | ((b[s] >> 6) << 4);
    const [step, base] = [Math.fround(d * scale), Math.fround(dMin * minimum)];
    for (let i = 0; i < 32; i++) {
      const fifth = high === undefined ? 0 : ((b[at + high + i] >> j) & 1) << 4;
      const q = ((b[at + low + (j >> 1) * 32 + i] >> ((j & 1) * 4)) & 15) | fifth;
      x[to + j * 32 + i] = Math.fround(step * q) - base;
    }
  }
}

/** By GGUF's type number. */
const BLOCKS: Record<number, Block> = {
  // F32, F16, BF16: no blocks at all
  0: {
    weights: 1,
    bytes: 4,
    unpack(b, at, x, to) {
      word[0] = b[at] | (b[at + 1] << 8) | (b[at + 2] << 16) | (b[at + 3] << 24);
      x[to] = float[0];
    },
  },
  1: { weights: 1, bytes: 2, unpack: (b, at, x, to) => void (x[to] = half(b, at)) },
  30: {
    weights: 1,
    bytes: 2,
    unpack(b, at, x, to) {
      word[0] = (b[at] << 16) | (b[at + 1] << 24);
      x[to] = float[0];
    },
  },
  2: { weights: 32, bytes: 18, unpack: (b, at, x, to) => unpackNibbles(b, at, x, to, 2, false) }, // Q4_0
  6: { weights: 32, bytes: 22, unpack: (b, at, x, to) => unpackNibbles(b, at, x, to, 6, true) }, // Q5_0
  // Q8_0: d · q, q a signed byte
  8: {
    weights: 32,
    bytes: 34,
    unpack(b, at, x, to) {
      const d = half(b, at);
      for (let i = 0; i < 32; i++) x[to + i] = d * ((b[at + 2 + i] << 24) >> 24);
    },
  },
  12: { weights: 256, bytes: 144, unpack: (b, at, x, to) => unpackPairs(b, at, x, to, 16, undefined) }, // Q4_K
  13: { weights: 256, bytes: 176, unpack: (b, at, x, to) => unpackPairs(b, at, x, to, 48, 16) }, // Q5_K
  // Q6_K: 16 groups of 16, each d · scale · (q - 32)
  14: {
    weights: 256,
    bytes: 210,
    unpack(b, at, x, to) {
      const d = half(b, at + 208);
      for (let i = 0; i < 256; i++) {
        const part = i >> 7; // two halves of 128, each four runs of 32
        const run = (i >> 5) & 3;
        const low = b[at + part * 64 + (run & 1) * 32 + (i & 31)];
        const high = b[at + 128 + part * 32 + (i & 31)];
        const q = ((run < 2 ? low : low >> 4) & 15) | (((high >> (run * 2)) & 3) << 4);
        const scale = (b[at + 192 + (i >> 4)] << 24) >> 24;
        x[to + i] = Math.fround(d * scale) * (q - 32);
      }
    },
  },
};

function unpackRow(w: Weight, row: number, x: Float32Array): void {
  const block = BLOCKS[w.type];
  let at = ((row * w.columns) / block.weights) * block.bytes;
  for (let to = 0; to < w.columns; to += block.weights, at += block.bytes) block.unpack(w.bytes, at, x, to);
}

// ── 3. The tokenizer: text to the ids of the pieces that training knew ───────────────────────────────────────────────

interface Tokenizer {
  encode(text: string): number[];
  bytes(id: number): Uint8Array;
}

function createTokenizer(values: Map<string, Value>): Tokenizer {
  const tokens = values.get("tokenizer.ggml.tokens") as string[];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  if (values.get("tokenizer.ggml.model") === "llama") return sentencePiece(values, tokens, ids);

  // Byte-level BPE (GPT-2, Llama 3, Qwen): every byte is written as a printable character, pairs merge in learnt order.
  const ranks = new Map((values.get("tokenizer.ggml.merges") as string[]).map((pair, rank) => [pair, rank]));
  let shifted = 256;
  const characters = Array.from({ length: 256 }, (_, b) =>
    String.fromCodePoint((b >= 33 && b <= 126) || (b >= 161 && b !== 173) ? b : shifted++),
  );
  const byteOf = new Map(characters.map((character, b) => [character, b]));
  const digits = String(values.get("tokenizer.ggml.pre")).startsWith("llama") ? "{1,3}" : "";
  const words = new RegExp(
    `'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    "gu",
  );
  return {
    encode: (text) =>
      (text.match(words) ?? []).flatMap((word) =>
        merge(
          Array.from(new TextEncoder().encode(word), (b) => characters[b]),
          (a, b) => -(ranks.get(`${a} ${b}`) ?? Infinity),
        ).map((piece) => ids.get(piece)!),
      ),
    bytes: (id) => Uint8Array.from(tokens[id], (character) => byteOf.get(character) ?? 63),
  };
}

/** SentencePiece BPE (Llama 2): pieces have scores; the best-scored neighbours merge; what is unknown becomes bytes. */
function sentencePiece(values: Map<string, Value>, tokens: string[], ids: Map<string, number>): Tokenizer {
  const scores = values.get("tokenizer.ggml.scores") as number[];
  const prefix = values.get("tokenizer.ggml.add_space_prefix") !== false;
  const byteToken = (b: number): number => ids.get(`<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`)!;
  return {
    encode(text) {
      if (text === "") return [];
      const pieces = Array.from((prefix ? ` ${text}` : text).replaceAll(" ", "▁"));
      const merged = merge(pieces, (a, b) => scores[ids.get(a + b) ?? -1] ?? -Infinity);
      return merged.flatMap((piece) => ids.get(piece) ?? Array.from(new TextEncoder().encode(piece), byteToken));
    },
    bytes(id) {
      const byte = /^<0x([0-9A-F]{2})>$/.exec(tokens[id]);
      return byte ? Uint8Array.of(parseInt(byte[1], 16)) : new TextEncoder().encode(tokens[id].replaceAll("▁", " "));
    },
  };
}

/** Joins the neighbours of the highest worth, the leftmost first, until no pair is worth anything. */
function merge(pieces: string[], worth: (a: string, b: string) => number): string[] {
  for (;;) {
    let best = -Infinity;
    let at = -1;
    for (let i = 0; i + 1 < pieces.length; i++) {
      const value = worth(pieces[i], pieces[i + 1]);
      if (value > best) [best, at] = [value, i];
    }
    if (at < 0) return pieces;
    pieces.splice(at, 2, pieces[at] + pieces[at + 1]);
  }
}

// ── 4. The transformer: ids in, for the last of them a number for every token that could come next ───────────────────

type Rows = Float32Array[]; // T vectors

class Transformer {
  readonly window: number;
  #weights: Map<string, Weight>;
  #layers: number;
  #heads: number;
  #kvHeads: number;
  #headSize: number;
  #epsilon: number;
  #frequencies: Float64Array;
  #halves: boolean;
  #keys: Rows[]; // per layer, per position: (G·D)
  #values: Rows[];

  constructor(values: Map<string, Value>, weights: Map<string, Weight>) {
    const family = values.get("general.architecture") as string;
    if (!["llama", "qwen2", "qwen3"].includes(family)) throw new Error(`${family} is no Llama- or Qwen-shaped model`);
    const fact = (name: string): number => values.get(`${family}.${name}`) as number;
    this.#weights = weights;
    this.window = fact("context_length");
    this.#layers = fact("block_count");
    this.#heads = fact("attention.head_count");
    this.#kvHeads = fact("attention.head_count_kv") ?? this.#heads;
    this.#headSize = fact("attention.key_length") ?? fact("embedding_length") / this.#heads;
    this.#epsilon = fact("attention.layer_norm_rms_epsilon");
    const base = fact("rope.freq_base") ?? 10000;
    const stretch = this.#vector("rope_freqs.weight"); // Llama 3.1 slows the low frequencies down
    this.#frequencies = Float64Array.from(
      { length: this.#headSize / 2 },
      (_, i) => base ** ((-2 * i) / this.#headSize) / (stretch?.[i] ?? 1),
    );
    this.#halves = family !== "llama"; // Llama's GGUF has its rows permuted so that pairs are neighbours
    this.#keys = Array.from({ length: this.#layers }, () => []);
    this.#values = Array.from({ length: this.#layers }, () => []);
  }

  /** Reads `ids` after what it has read before; gives logits (V) for what follows the last one. */
  forward(ids: number[]): Float32Array {
    const embedding = this.#weights.get("token_embd.weight")!;
    const start = this.#keys[0].length;
    let x: Rows = ids.map((id) => {
      const row = new Float32Array(embedding.columns);
      unpackRow(embedding, id, row);
      return row; // (C)
    });
    for (let layer = 0; layer < this.#layers; layer++) {
      x = sum(x, this.#attention(layer, this.#norm(x, `blk.${layer}.attn_norm.weight`), start));
      x = sum(x, this.#feedForward(layer, this.#norm(x, `blk.${layer}.ffn_norm.weight`)));
    }
    const last = this.#norm(x.slice(-1), "output_norm.weight");
    return this.#linear(last, this.#weights.has("output.weight") ? "output" : "token_embd")[0]; // (C) -> (V)
  }

  /** What each token takes from those before it: the values whose keys its query points at. */
  #attention(layer: number, x: Rows, start: number): Rows {
    const [H, G, D] = [this.#heads, this.#kvHeads, this.#headSize];
    const name = `blk.${layer}.attn`;
    const q = this.#rotate(this.#headNorm(this.#linear(x, `${name}_q`), `${name}_q_norm.weight`), start); // T × (H·D)
    const k = this.#rotate(this.#headNorm(this.#linear(x, `${name}_k`), `${name}_k_norm.weight`), start); // T × (G·D)
    this.#keys[layer].push(...k);
    this.#values[layer].push(...this.#linear(x, `${name}_v`)); // T × (G·D)
    const keys = this.#keys[layer];
    const values = this.#values[layer];
    const mixed = q.map((query, t) => {
      const out = new Float32Array(H * D);
      for (let head = 0; head < H; head++) {
        const shared = Math.floor(head / (H / G)) * D; // H/G query heads share one key-value head
        const scores = new Float64Array(start + t + 1); // nobody looks ahead
        for (let s = 0; s < scores.length; s++) {
          let dot = 0;
          for (let d = 0; d < D; d++) dot += query[head * D + d] * keys[s][shared + d];
          scores[s] = dot / Math.sqrt(D);
        }
        const weights = softmax(scores);
        for (let s = 0; s < weights.length; s++) {
          for (let d = 0; d < D; d++) out[head * D + d] += weights[s] * values[s][shared + d];
        }
      }
      return out;
    });
    return this.#linear(mixed, `${name}_output`); // T × (H·D) -> T × (C)
  }

  /** SwiGLU: down(silu(gate x) · up x). */
  #feedForward(layer: number, x: Rows): Rows {
    const gate = this.#linear(x, `blk.${layer}.ffn_gate`); // T × (F)
    const up = this.#linear(x, `blk.${layer}.ffn_up`);
    const inner = gate.map((row, t) => row.map((g, i) => (g / (1 + Math.exp(-g))) * up[t][i]));
    return this.#linear(inner, `blk.${layer}.ffn_down`); // T × (F) -> T × (C)
  }

  /** y = W x + b, a row of W at a time: unpacked once, used for every token. */
  #linear(x: Rows, name: string): Rows {
    const weight = this.#weights.get(`${name}.weight`)!;
    const bias = this.#vector(`${name}.bias`);
    const row = new Float32Array(weight.columns);
    const y = x.map(() => new Float32Array(weight.rows));
    for (let m = 0; m < weight.rows; m++) {
      unpackRow(weight, m, row);
      for (let t = 0; t < x.length; t++) {
        const xt = x[t];
        let dot = 0;
        for (let k = 0; k < row.length; k++) dot += row[k] * xt[k];
        y[t][m] = dot + (bias?.[m] ?? 0);
      }
    }
    return y;
  }

  /** RMSNorm: each vector brought to unit mean square, then times the gain. */
  #norm(x: Rows, name: string): Rows {
    const gain = this.#vector(name)!;
    return x.map((row) => {
      const meanSquare = row.reduce((total, value) => total + value * value, 0) / row.length;
      return row.map((value, i) => (value / Math.sqrt(meanSquare + this.#epsilon)) * gain[i]);
    });
  }

  /** The same for every head on its own, where the model has it (Qwen 3). */
  #headNorm(x: Rows, name: string): Rows {
    if (!this.#weights.has(name)) return x;
    const D = this.#headSize;
    return x.map((row) => {
      const heads = Array.from({ length: row.length / D }, (_, h) => row.slice(h * D, h * D + D));
      return Float32Array.from(this.#norm(heads, name).flatMap((head) => [...head]));
    });
  }

  /** Rotary positions: pair i of every head turns by position · frequency_i, so a dot product sees the distance. */
  #rotate(x: Rows, start: number): Rows {
    const half = this.#headSize / 2;
    x.forEach((row, t) => {
      for (let head = 0; head < row.length; head += 2 * half) {
        for (let i = 0; i < half; i++) {
          const angle = (start + t) * this.#frequencies[i];
          const [at, other] = this.#halves ? [head + i, head + i + half] : [head + 2 * i, head + 2 * i + 1];
          const [a, b] = [row[at], row[other]];
          row[at] = a * Math.cos(angle) - b * Math.sin(angle);
          row[other] = b * Math.cos(angle) + a * Math.sin(angle);
        }
      }
    });
    return x;
  }

  #vector(name: string): Float32Array | undefined {
    const weight = this.#weights.get(name);
    if (weight === undefined) return undefined;
    const vector = new Float32Array(weight.columns);
    unpackRow(weight, 0, vector);
    return vector;
  }
}

const sum = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((value, i) => value + b[t][i]));

function softmax(scores: Float64Array): Float64Array {
  const highest = scores.reduce((a, b) => Math.max(a, b));
  const weights = scores.map((score) => Math.exp(score - highest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

// ── 5. The choice: the likeliest token, or a draw ────────────────────────────────────────────────────────────────────

function choose(logits: Float32Array, temperature: number): number {
  if (temperature === 0) return logits.indexOf(logits.reduce((a, b) => Math.max(a, b), -Infinity));
  let left = Math.random();
  const chances = softmax(Float64Array.from(logits, (logit) => logit / temperature));
  return Math.max(
    0,
    chances.findIndex((chance) => (left -= chance) < 0),
  );
}

// ── 6. The loop: read, choose, append, again ─────────────────────────────────────────────────────────────────────────

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "max-tokens": { type: "string", default: "256" },
    temperature: { type: "string", default: "0" },
    json: { type: "boolean", default: false },
  },
});
const [path, prompt] = positionals;
if (path === undefined) throw new Error('usage: node run.ts MODEL.gguf ["text to continue"]');
const { values, weights } = readGguf(path);
const tokenizer = createTokenizer(values);
const model = new Transformer(values, weights);
const idOf = (token: string): number => (values.get("tokenizer.ggml.tokens") as string[]).indexOf(token);
const [imStart, imEnd] = [idOf("<|im_start|>"), idOf("<|im_end|>")];
const ends = new Set([values.get("tokenizer.ggml.eos_token_id"), imEnd, idOf("<|endoftext|>"), idOf("<|eot_id|>")]);
const wantsBos = values.get("tokenizer.ggml.add_bos_token") ?? values.get("tokenizer.ggml.model") === "llama";

function reply(promptIds: number[]): number[] {
  const ids: number[] = [];
  const decoder = new TextDecoder();
  let next = promptIds;
  while (ids.length < Number(options["max-tokens"]) && promptIds.length + ids.length < model.window) {
    const id = choose(model.forward(next), Number(options.temperature));
    if (ends.has(id)) break;
    ids.push(id);
    next = [id];
    if (!options.json) process.stdout.write(decoder.decode(tokenizer.bytes(id), { stream: true }));
  }
  if (!options.json) process.stdout.write("\n");
  return ids;
}

const bos = wantsBos ? [values.get("tokenizer.ggml.bos_token_id") as number] : [];
if (prompt !== undefined) {
  const promptIds = [...bos, ...tokenizer.encode(prompt)];
  const ids = reply(promptIds);
  if (options.json) console.log(JSON.stringify({ promptIds, ids }));
} else {
  // ChatML where the vocabulary has its marks; else what you type is a text to continue.
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: "> " });
  let first = bos;
  lines.prompt();
  for await (const line of lines) {
    const turn = (role: string): number[] => [imStart, ...tokenizer.encode(`${role}\n`)];
    const asked = [...turn("user"), ...tokenizer.encode(line), imEnd, ...tokenizer.encode("\n"), ...turn("assistant")];
    reply([...first, ...(imStart < 0 ? tokenizer.encode(line) : asked)]);
    first = imStart < 0 ? [] : [imEnd, ...tokenizer.encode("\n")];
    lines.prompt();
  }
}
