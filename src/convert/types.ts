// What a conversion takes and what it tells when it is done. Bodies: convert.ts and below.
import type { OnProgress } from "../base/progress.ts";

/** Number formats that a conversion can write; "keep" leaves every number as it is stored. */
export const convertTypes = ["keep", "f32", "f16", "bf16"] as const;
export type ConvertType = (typeof convertTypes)[number];

export interface ConvertOptions {
  /** What matrices are written as. Default "keep". */
  readonly type?: ConvertType;
  /** Replace what is there already. */
  readonly force?: boolean;
  /** Tokenizer file of a llama2.c checkpoint; default: the one beside it. */
  readonly tokenizer?: string;
  /** GGUF metadata to add or replace: texts under `general.`, such as a licence. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** What was compared after writing, with the written files opened anew. */
export interface ConvertChecks {
  /** Weights compared bit for bit. */
  readonly weights: number;
  /** Texts whose ids are the same under both tokenizers; undefined where there is no tokenizer. */
  readonly texts: number | undefined;
  /** Logits under both configs. */
  readonly logits: LogitsCheck;
}

export interface LogitsCheck {
  readonly ids: number;
  readonly largestDifference: number;
  /** The difference that was allowed: a share of the largest logit. */
  readonly tolerance: number;
}

export interface ConvertReport {
  readonly from: "hf" | "gguf" | "llama2c";
  readonly to: "hf" | "gguf";
  readonly path: string;
  readonly family: string;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  /** What the other form cannot say, and what was left out: one sentence each. */
  readonly notes: readonly string[];
  readonly checks: ConvertChecks;
}
