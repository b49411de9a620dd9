// What a quantization takes and what it tells when it is done. Bodies: quantize.ts and below.
import type { OnProgress } from "../base/progress.ts";
import type { ConvertChecks } from "../convert/index.ts";
import type { Divergence } from "../eval/divergence.ts";
import type { FormatName } from "../numeric/registry.ts";
import type { MixName } from "./mixes.ts";

/** What an error in each column of a tensor costs, by the tensor's name in GGUF. */
export type Importance = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

export interface QuantizeOptions {
  readonly type: MixName;
  readonly importance?: Importance;
  /** What both models are held against each other with; "" or none: they are not. */
  readonly text?: string;
  /** Of the text, at most so many tokens. Default 4096. */
  readonly textTokens?: number;
  /** Replace what is there already. */
  readonly force?: boolean;
  /** Threads that encode, and that run the models. Default: the machine's. */
  readonly threads?: number;
  /** GGUF metadata to add or replace: texts under `general.`, such as a licence. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** One tensor of the written file, read again from there. */
export interface TensorError {
  readonly name: string;
  readonly from: FormatName;
  readonly to: FormatName;
  readonly weights: number;
  readonly bytes: number;
  /** Root of the mean squared error, as a share of the weights' own root mean square. */
  readonly error: number;
}

/** How both models behave over a text, or why that was not compared. */
export type Comparison = Divergence | { readonly skipped: string };

export interface QuantizeReport {
  readonly path: string;
  readonly type: MixName;
  readonly family: string;
  readonly parameters: number;
  readonly bytes: number;
  /** Bytes of the model that it was made of. */
  readonly bytes_before: number;
  /** Of the tensors' bytes, over all weights. */
  readonly bits_per_weight: number;
  readonly bits_per_weight_before: number;
  /** In the file's order. */
  readonly tensors: readonly TensorError[];
  /** Of all weights together. */
  readonly error: number;
  readonly seconds: number;
  /** One sentence each. */
  readonly notes: readonly string[];
  readonly checks: Pick<ConvertChecks, "texts" | "logits">;
  readonly comparison: Comparison;
}
