// What DeepSeek's generations read from a config, whichever kind of file it is in.
import type { LatentSettings, Routing } from "../nn/index.ts";
import type { DecoderSizes } from "./decoder.ts";
import { type Mixture, expertNames } from "./mixture.ts";
import type { RopeTable } from "./model.ts";

export interface DeepseekShape {
  readonly family: "deepseek_v2" | "deepseek_v3";
  /** `headSize` is that of the cached rows. */
  readonly sizes: DecoderSizes;
  readonly latent: LatentSettings;
  /** Of queries; undefined: they are projected at once. */
  readonly queryLatent: number | undefined;
  readonly valueSize: number;
  readonly rope: RopeTable;
  readonly mixture: Mixture;
  readonly bias: boolean | "optional";
  readonly tied: boolean | "optional";
  /** GGUF files made before llama.cpp knew the absorbed form hold both matrices of heads in one tensor, as folders do. */
  readonly ggufJoined: boolean;
}

/** ε of the norms of latent vectors, whatever the config says of the others. */
export const LATENT_EPSILON = 1e-6;

/** Experts in layers from `first` on, beside them `shared` that all rows go through, joined as one. */
export const mixtureFrom = (first: number, routing: Routing, forwardWidth: number, shared: number): Mixture => ({
  ...expertNames,
  experts: routing.experts,
  forwardWidth,
  routing: (layer) => (layer < first ? undefined : routing),
  ...(shared > 0 && { shared: { name: "mlp.shared_experts", forwardWidth: shared * forwardWidth } }),
});
