// What a family's file produces from a config: the model as the engine and the tests see it. Not here: any family.
import type { Tensor } from "../graph/index.ts";
import type { Attend, Projection, Recall, RopeScaling, ScaledRope } from "../nn/index.ts";
import type { FormatName } from "../numeric/registry.ts";

/** A tensor of a model file, outermost size first (GGUF lists innermost first; its reader turns that round). */
export interface FileTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly format: FormatName;
  /** The file has blocks, which are decoded as they are read: they lie as blocks do (inputs along a row). */
  readonly inBlocks?: boolean;
}

/** What a family reads: the facts of a model file without its weights. */
export interface ModelFacts {
  /** Shown in errors. */
  readonly file: string;
  /** "gguf": `config` is the metadata ("llama.block_count", ...); "hf": config.json. The conventions differ. */
  readonly kind: "gguf" | "hf";
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** There is no file yet: what the config asks for will be made, so `tensors` is empty and nothing is missing. */
  readonly isNew?: boolean;
  /** Values of GGUF's tensors of rope divisors, by name, where the file has any: they shape the rope tables. */
  readonly ropeDivisors?: ReadonlyMap<string, Float32Array>;
}

/** Layers that attend in one way: those of a decoder share one kind of cache, and so one page table. */
export interface CacheGroup {
  readonly name: string;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
  /** Whether values are the keys: only keys are kept. */
  readonly valuesAreKeys?: boolean;
  /** Sliding window in tokens; absent: every key stays visible. */
  readonly window?: number;
}

/** Angles of one rope, scaling applied; cos and sin rows are computed from it (rope-inputs.ts). */
export interface RopeTable extends ScaledRope {
  readonly name: string;
  /** What made the angles of the plain ones. */
  readonly scaling?: RopeScaling;
}

/** The rows of a parameter in a tensor that holds those of several, head by head. */
export interface HeadRows {
  readonly heads: number;
  /** Rows that a head has in the tensor. */
  readonly of: number;
  /** Those that are the parameter's. */
  readonly first: number;
  readonly count: number;
  /** A head's rows are columns of the parameter. */
  readonly transposed: boolean;
}

/** Rows of a tensor; of one to be transposed that is a stack of matrices, of that matrix. */
export interface TensorPiece {
  readonly tensor: string;
  readonly first: number;
  readonly count: number;
  readonly matrix?: number;
}

/** One parameter as rows of file tensors. Works on packed blocks, but for `transpose` and `addOne` (float types only). */
export interface ParameterSource {
  /** A vector has one row; its pieces and `rowAt` count elements (float types only). */
  readonly vector: boolean;
  readonly rows: number;
  readonly columns: number;
  /** Row ranges joined in order; with `transpose` the range is of columns of a tensor stored (in, out). */
  readonly pieces: readonly TensorPiece[];
  /** Pieces and `rowAt` count elements, of all rows (float types only). */
  readonly byElement?: boolean;
  /** Source row for row i of the joined pieces (GGUF's permuted q and k); absent: i. */
  readonly rowAt?: (row: number) => number;
  readonly transpose?: boolean;
  /** Gains stored as w where the forward wants 1 + w. */
  readonly addOne?: boolean;
  /** Rows are divided by their lengths (float types only). */
  readonly unitRows?: boolean;
  /** Matrices of one shape that the rows are, one after another, of which a row of activations chooses some (experts). */
  readonly matrices?: number;
  /** How many of them it chooses. */
  readonly chosen?: number;
  /** The pieces are one tensor, of which the parameter has these rows as columns (float types; blocks become f32). */
  readonly turnedHeads?: HeadRows;
  /** The parameters that this is put together of, for what is written; its own pieces are none. */
  readonly joinedHeads?: readonly { readonly parameter: ParameterSource; readonly layout: HeadRows }[];
  /** The parameters whose rows this has by turns, for what is written; its own pieces are none. */
  readonly joinedTurns?: readonly ParameterSource[];
  /** It is matrices of so many rows (float types only), each of them turned over after that. */
  readonly turnedMatrices?: number;
}

/** Of rows that belong to several by turns: to how many, and which one's turn. */
export interface Turns {
  readonly of: number;
  readonly first: number;
}

/** One parameter and where each kind of file has it. */
export interface WeightRow {
  readonly parameter: string;
  readonly hf: string;
  /** Absent: GGUF has no name for it. */
  readonly gguf?: string;
  /** [length] of a vector, or [rows, columns]. */
  readonly shape: readonly number[];
  /** Used where the file has it; otherwise it must be there. */
  readonly optional?: boolean;
  /** The rows (a vector's elements) from `first` on, of a tensor that has `of` of them. */
  readonly part?: { readonly first: number; readonly of: number };
  /** The same, in HF alone: the other rows are never read. */
  readonly hfPart?: WeightRow["part"];
  /**
   * The rows are those of the matrices of so many experts. A name with a `*` stands for a tensor of each, `*` for its
   * number; others for one tensor (experts, rows of one, columns).
   */
  readonly experts?: number;
  /** How many of them a row goes through. */
  readonly chosen?: number;
  /** HF's tensor has the rows (a bias's columns) of `of` parameters by turns; this one's are those from `first` on. */
  readonly hfTurns?: Turns;
  /** GGUF's name in files that have experts apart. */
  readonly ggufEach?: string;
  /** Matrices of one shape that its rows are, one after another. */
  readonly matrices?: number;
  /** The rows that it has of each head in a tensor, in HF and in GGUF. */
  readonly hfHeads?: HeadRows;
  readonly ggufHeads?: HeadRows;
  /** GGUF stores it in this shape: the same numbers in the same order. */
  readonly ggufShape?: readonly number[];
  /** GGUF holds the rows of each head of this size in the order of interleaved rope pairs. */
  readonly ggufInterleaved?: number;
  /** Both kinds of file hold them so, of the first `rotated` rows of each head. */
  readonly interleaved?: { readonly headSize: number; readonly rotated: number };
  /** HF stores it in this shape: the same numbers in the same order. */
  readonly hfShape?: readonly number[];
  /** HF stores it (in, out). */
  readonly hfTransposed?: boolean;
  /** HF stores the gain less 1. */
  readonly hfAddOne?: boolean;
  /** HF's forward divides its rows by their lengths before it multiplies; GGUF has them divided. */
  readonly hfUnitRows?: boolean;
}

/** The traced inputs of a forward pass over `rows` tokens of any number of sequences. */
export interface ForwardInputs {
  /** (rows) i32; of models that read images, nothing. */
  readonly ids: Tensor;
  /** (rows, K), of models that read images alone: pixels of a patch, by colour, then from left to right and from above. */
  readonly patches?: Tensor;
  readonly positions: Tensor;
  /** (rows) i32: which of the texts that a sequence is made of a row belongs to, from 0 (BERT's token types). */
  readonly segments: Tensor;
  /** (outputRows) i32: the rows that reach the head. */
  readonly outputRows: Tensor;
  readonly ropes: Readonly<Record<string, { readonly cos: Tensor; readonly sin: Tensor }>>;
  /** By cache group, its layers in order; of an encoder, "source". */
  readonly attends: Readonly<Record<string, readonly Attend[]>>;
  /** How layers look at the source text, in order; empty where there is none. */
  readonly recalls: readonly Recall[];
  /** Names a value, so that a trace can make it an extra output; returns it. */
  readonly tap: (name: string, value: Tensor) => Tensor;
  /** The traced parameter of that name; its shape comes from the loading map. */
  parameter(name: string): Tensor;
  /** How rows go through projections: as they are, or with an adapter. */
  readonly projection: Projection;
}

/** Keys and values of rows, (N, G*D) each. */
export interface KeysAndValues {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** The part of an encoder-decoder that reads a source text, all of it at once, in both directions. */
export interface Encoder {
  readonly layers: number;
  /** The longest source, in tokens. */
  readonly window: number;
  /** What the decoder's layers keep of the source: its layers are those that look at it, its name is "source". */
  readonly group: CacheGroup;
  /** The id that every reply begins after. */
  readonly startId: number;
  /**
   * Source rows -> what each layer of the group sees of them. It attends by `attends.source`, has the model's ropes, no
   * output rows and no recalls. Taps: "source.0" (embedding) ... "source.L" (what the decoder sees).
   */
  forward(x: Omit<ForwardInputs, "outputRows" | "recalls">): readonly KeysAndValues[];
}

/** How images become rows: cut into patches, after a row that stands for the whole image. */
export interface ImageFormat {
  /** Pixels of the image's side, and of a patch's. */
  readonly side: number;
  readonly patchSide: number;
  /** The first part of the names that transformers has for what prepares its images, and what that does unless told. */
  readonly processor: string;
  readonly preparation: ImagePreparation;
}

/** How a picture of any size becomes the numbers that a model was trained on. */
export interface ImagePreparation {
  /** What it becomes, or its shorter side does; undefined: it stays as large as it is. */
  readonly resize: Size | { readonly shortest: number } | undefined;
  readonly resample: "nearest" | "lanczos" | "bilinear" | "bicubic" | "box" | "hamming";
  /** What of it is kept, from its middle; undefined: all. */
  readonly crop: Size | undefined;
  /** Numbers are (rescale * byte - mean) / std, of each colour. */
  readonly rescale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * What a model says of rows by their hidden values (M, C): the next or the hidden token's logits (M, V), what it makes of a
 * whole text's first row (M, C), scores of its classes (M, K), a place in the space that texts and images share (M, P).
 */
export type HeadName = "logits" | "pooled" | "scores" | "embedding";
export type Head = (hidden: Tensor, x: Pick<ForwardInputs, "parameter" | "projection">) => Tensor;

export interface Model {
  /** HF's model_type: "llama", "qwen3", "gemma3_text", ... */
  readonly family: string;
  readonly vocabularySize: number;
  /** The longest sequence it was made for, in tokens. */
  readonly window: number;
  readonly width: number;
  readonly layers: number;
  readonly cacheGroups: readonly CacheGroup[];
  /** Whether a row sees all of its sequence, not only what is before it: an encoder, which keeps no cache. */
  readonly bothDirections?: boolean;
  /** It reads images, of `window` rows each, and no ids. */
  readonly imageFormat?: ImageFormat;
  /** Of a model that reads texts: what reads images into the same space. It has the same parameters. */
  readonly imageTower?: Model;
  /** The first row with this id stands for all of a text; absent: none does by itself. */
  readonly endId?: number;
  /** The parameter, one number, whose exponential the likeness of a text and an image is multiplied by. */
  readonly logitScale?: string;
  readonly ropes: readonly RopeTable[];
  readonly parameters: ReadonlyMap<string, ParameterSource>;
  /** File tensors that are no weights, with the reason. Every other tensor is used. */
  readonly ignored: ReadonlyMap<string, string>;
  /** What the loading map was made of: the names in both kinds of file (convert/ goes from one to the other). */
  readonly weightRows: readonly WeightRow[];
  /** Absent: the model reads nothing but what it goes on with. */
  readonly encoder?: Encoder;
  /** Those that its weights have; a program computes the ones it is asked for. */
  readonly heads: Readonly<Partial<Record<HeadName, Head>>>;
  /**
   * Hidden values (outputRows, C), after the final norm: what heads read. Taps: "hidden.0" (embedding) ... "hidden.L" (of
   * all rows, after the final norm).
   */
  forward(x: ForwardInputs): Tensor;
}
