// The types that a model can be quantized to, by the names people know, and which number format each tensor gets: more
// bits where an error costs more. The rules, and what stands in where rows are no whole blocks, are llama.cpp's
// (llama-quant.cpp) for models without experts. Not here: encoding (encode-threads.ts).
import { UsageError } from "../base/errors.ts";
import { type FormatName, formats } from "../numeric/registry.ts";

/** What a tensor is to a model, by its name in GGUF. */
export type Part = "output" | "embedding" | "query" | "key" | "value" | "attentionOutput" | "down" | "other";

/** What the rules ask about a model and about the tensor's place in it. */
export interface Place {
  /** The tensor's layer; 0 outside of layers. */
  readonly layer: number;
  readonly layers: number;
  /** Query heads for each key head. */
  readonly headsPerKey: number;
  /** There are importances. */
  readonly weighted: boolean;
}

/** The format of a part at a place; undefined: the mix's own. */
type Rule = (place: Place) => FormatName | undefined;

export interface Mix {
  /** What the file says of itself by `general.file_type` (llama.cpp's LLAMA_FTYPE). */
  readonly fileType: number;
  readonly main: FormatName;
  readonly parts?: Partial<Record<Part, Rule>>;
}

const isIn = ({ layer, layers }: Place, share: number): boolean => layer < Math.floor(layers / share);

/** The first and the last eighth of the layers, and every third between them. */
const wantsMore = ({ layer, layers }: Place): boolean => {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
};
const more: Rule = (place) => (wantsMore(place) ? "q6_k" : undefined);

const levelParts: Mix["parts"] = {
  value: ({ headsPerKey }) => (headsPerKey >= 4 ? "q5_k" : undefined),
  down: (place) => (isIn(place, 8) && !place.weighted ? "q5_k" : undefined),
};

export const mixes = {
  F32: { fileType: 0, main: "f32" },
  BF16: { fileType: 32, main: "bf16" },
  F16: { fileType: 1, main: "f16" },
  Q8_0: { fileType: 7, main: "q8_0" },
  Q6_K: { fileType: 18, main: "q6_k" },
  Q5_K_M: { fileType: 17, main: "q5_k", parts: { value: more, down: more } },
  Q5_K_S: { fileType: 16, main: "q5_k" },
  Q5_1: { fileType: 9, main: "q5_1" },
  Q5_0: {
    fileType: 8,
    main: "q5_0",
    parts: { down: (place) => (place.weighted && isIn(place, 8) ? "q5_1" : undefined) },
  },
  Q4_K_M: { fileType: 15, main: "q4_k", parts: { value: more, down: more } },
  Q4_K_S: {
    fileType: 14,
    main: "q4_k",
    parts: {
      value: ({ layer }) => (layer < 4 ? "q5_k" : undefined),
      down: (place) => (isIn(place, 8) ? "q5_k" : undefined),
    },
  },
  IQ4_NL: { fileType: 25, main: "iq4_nl", parts: levelParts },
  IQ4_XS: { fileType: 30, main: "iq4_xs", parts: levelParts },
  Q4_1: { fileType: 3, main: "q4_1" },
  Q4_0: {
    fileType: 2,
    main: "q4_0",
    parts: { down: (place) => (place.weighted && isIn(place, 8) ? "q4_1" : undefined) },
  },
  MXFP4: { fileType: 38, main: "mxfp4" },
  Q3_K_L: {
    fileType: 13,
    main: "q3_k",
    parts: { value: () => "q5_k", down: () => "q5_k", attentionOutput: () => "q5_k" },
  },
  Q3_K_M: {
    fileType: 12,
    main: "q3_k",
    parts: {
      value: ({ layer }) => (layer < 2 ? "q5_k" : "q4_k"),
      down: (place) => (isIn(place, 16) ? "q5_k" : "q4_k"),
      attentionOutput: () => "q4_k",
    },
  },
  Q3_K_S: { fileType: 11, main: "q3_k" },
  Q2_K: {
    fileType: 10,
    main: "q2_k",
    parts: {
      value: ({ headsPerKey }) => (headsPerKey >= 4 ? "q4_k" : "q3_k"),
      down: () => "q3_k",
      attentionOutput: () => "q3_k",
    },
  },
  Q2_K_S: {
    fileType: 21,
    main: "q2_k",
    parts: {
      value: ({ headsPerKey }) => (headsPerKey >= 4 ? "q4_k" : undefined),
      down: (place) => (isIn(place, 8) ? "q4_k" : undefined),
    },
  },
  TQ2_0: { fileType: 37, main: "tq2_0", parts: { embedding: () => "q4_k" } },
  TQ1_0: { fileType: 36, main: "tq1_0", parts: { embedding: () => "q4_k" } },
} as const satisfies Record<string, Mix>;

export type MixName = keyof typeof mixes;
export const mixNames = Object.keys(mixes) as readonly MixName[];

/** Short names for the mixes that most people mean by them. */
const SHORT: Readonly<Record<string, MixName>> = { Q5_K: "Q5_K_M", Q4_K: "Q4_K_M", Q3_K: "Q3_K_M" };

/** A mix by its name in any case. Throws UsageError that lists them. */
export function mixNamed(name: string): MixName {
  const upper = name.toUpperCase().replaceAll("-", "_");
  const found = mixNames.find((known) => known === (SHORT[upper] ?? upper));
  if (found !== undefined) return found;
  throw new UsageError(`There is no type ${JSON.stringify(name)}.`, { hint: `There are ${mixNames.join(", ")}.` });
}

/** Formats whose blocks are shorter, for rows that are no whole blocks of the first. */
const SHORTER: Readonly<Partial<Record<FormatName, FormatName>>> = {
  q2_k: "q4_0",
  q3_k: "q4_0",
  q4_k: "q5_0",
  q5_k: "q5_1",
  q6_k: "q8_0",
  iq4_xs: "iq4_nl",
  tq1_0: "q4_0",
  tq2_0: "q4_0",
};

const isWhole = (format: FormatName, columns: number): boolean => columns % formats[format].blockSize === 0;

export interface Chosen {
  readonly format: FormatName;
  /** What the mix asks for, where the rows are no whole blocks of it. */
  readonly instead?: FormatName;
}

/** The format of the tensor `name` with rows of `columns`; `tied`: the embedding is the head as well. */
export function chooseFormat(mix: Mix, name: string, columns: number, place: Place, tied: boolean): Chosen {
  const wanted = wantedFormat(mix, partOf(name), columns, place, tied);
  if (isWhole(wanted, columns)) return { format: wanted };
  const shorter = SHORTER[wanted];
  const format = shorter !== undefined && isWhole(shorter, columns) ? shorter : "f16";
  return { format, instead: wanted };
}

function wantedFormat(mix: Mix, part: Part, columns: number, place: Place, tied: boolean): FormatName {
  const { main } = mix;
  if (formats[main].blockSize === 1) return main;
  if (part === "output" || (tied && part === "embedding")) {
    return main === "q8_0" || !isWhole(main, columns) ? "q8_0" : "q6_k";
  }
  return mix.parts?.[part]?.(place) ?? main;
}

const PARTS: readonly (readonly [name: RegExp, part: Part])[] = [
  [/^output\.weight$/, "output"],
  [/^token_embd\.weight$/, "embedding"],
  [/\.attn_(v|qkv)\.weight$/, "value"],
  [/\.attn_k\.weight$/, "key"],
  [/\.attn_q\.weight$/, "query"],
  [/\.attn_output\.weight$/, "attentionOutput"],
  [/\.ffn_down\.weight$/, "down"],
];

const partOf = (name: string): Part => PARTS.find(([pattern]) => pattern.test(name))?.[1] ?? "other";

/** The layer in a tensor's name; 0 where there is none. */
export const layerOf = (name: string): number => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0);
