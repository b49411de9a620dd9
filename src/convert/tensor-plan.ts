// A tensor that a conversion writes: what it is called, and how it comes out of the other file. Made by tensors.ts.
import type { ParameterSource } from "../models/index.ts";

export interface TensorPlan {
  readonly name: string;
  /** Outermost size first. */
  readonly shape: readonly number[];
  readonly source: ParameterSource;
  /** Makes the written values of the stored ones, where they differ; vectors only, whole. */
  readonly change?: (values: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
  /** Written as f32 in GGUF whatever the matrices are: vectors and a few matrices, as llama.cpp has them. */
  readonly alwaysF32: boolean;
}
