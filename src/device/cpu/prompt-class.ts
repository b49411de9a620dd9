// What of a graph the prompt class computes, and how: in which form a product reads its activations and which kernels
// multiply them, by the machine's facts, the precision asked for and the weight's format.
import { type ActivationName, type Tensor, bound, isParameter, linearOp } from "../../graph/index.ts";
import { decodedPanelKernels, gatedDecodedPanelKernels } from "./kernels/panel-decoded.ts";
import { gatedInt8PanelKernels, int8PanelKernels } from "./kernels/panel-int8.ts";
import type { Activation } from "./kernels/gemm-outputs.ts";
import { floatKernels } from "./kernels/linear-floats.ts";
import { UNIT_PANELS_MOST, adaptedTileKernels, isTileFormat, tileKernels } from "./kernels/linear-tiles.ts";
import { isFloatFormat } from "./kernels/packed-blocks.ts";
import type { QuantizedName } from "./kernels/blocks.ts";
import type { TileFormat } from "./kernels/tile-weights.ts";
import { STEP_COLUMNS } from "./kernels/tiles.ts";
import type { Kernel, Machine } from "../../lanes/index.ts";
import { weightOf } from "./lower-common.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";
import { GROUP_ROWS, type PackedFormat } from "./packed-layouts.ts";

/**
 * Rows of a prompt that are worth running at once (bench/model.ts, 1.5 billion weights): tiles lose a third of their speed
 * at 128 rows, where unpacking weights is most of the work; others lose what reading the weights takes. Slow machines
 * take few, so that nobody waits for seconds.
 */
export const promptRows = ({ tiles, lanes }: Machine): number => (tiles ? 512 : lanes > 4 ? 256 : 128);

/** How activations lie for a product: rows of f32, int8 blocks, or bf16 in tiles. */
export type ActivationForm = "f32" | "int8" | "tiles";

export interface PromptProduct {
  readonly form: ActivationForm;
  /** out = f(x Wᵀ + bias) + residual, f32. */
  readonly kernel: (activation: Activation) => Kernel;
  /** out = f(x Wᵀ + bias) in tile form, where activations are read so. */
  readonly formed?: (activation: ActivationName) => Kernel;
  /** out = f(x Wᵀ) * (x Vᵀ), of two weights of one format, in the form `form`. */
  readonly gated: (activation: ActivationName) => Kernel;
}

export const isPromptLinear = (node: Tensor): boolean =>
  node.op === linearOp && bound(node.shape[0]) > DECODE_ROWS && isParameter(node.inputs[1]);

/** A form, and the weight's format where it is one that the form is multiplied by. */
export type PromptForm =
  | { readonly form: "tiles"; readonly packed: TileFormat }
  | { readonly form: "int8"; readonly packed: QuantizedName }
  | { readonly form: "f32"; readonly packed: PackedFormat };

/** In which form a product by `weight` reads its activations. */
export function promptForm(weight: Tensor, lowering: Lowering): PromptForm {
  const { precision, machine } = lowering.options;
  const { packed, columns } = weightOf(weight, lowering);
  if (precision === "fast" && machine.tiles && isTileFormat(packed) && columns % STEP_COLUMNS === 0) {
    return { form: "tiles", packed };
  }
  return precision === "fast" && !isFloatFormat(packed) ? { form: "int8", packed } : { form: "f32", packed };
}

/** How a product by `weight` is computed; `isAdapted`: with an adapter on the way, which only tiles have. */
export function promptProduct(weight: Tensor, lowering: Lowering, isAdapted = false): PromptProduct {
  const { form, packed } = promptForm(weight, lowering);
  if (form === "tiles") {
    const kernels = isAdapted ? adaptedTileKernels : tileKernels;
    return {
      form,
      kernel: (by) => kernels.plain[by][packed],
      formed: (by) => kernels.formed[by][packed],
      gated: (by) => kernels.gated[by][packed],
    };
  }
  if (form === "int8") {
    return { form, kernel: (by) => int8PanelKernels[by][packed], gated: (by) => gatedInt8PanelKernels[by][packed] };
  }
  return {
    form,
    kernel: (by) => (packed === "f32" ? floatKernels[by] : decodedPanelKernels[by][packed]),
    gated: (by) => gatedDecodedPanelKernels[by][packed],
  };
}

/**
 * Column panels are shared out in at least about so many units, so that threads end a step together; for 2 threads 4 to 32
 * are as fast (bench/model.ts, 270 million weights).
 */
const TILE_UNITS = 8;

/** How a product by `outer` outputs is cut in tiles: column panels of a unit, and units for each 512 rows. */
export function tileUnits(outer: number, isGated: boolean): { readonly unitPanels: number; readonly units: number } {
  const panels = Math.ceil(outer / ((isGated ? 1 : 2) * GROUP_ROWS));
  // even, so that gated panels, which come in pairs, stay together
  const unitPanels = Math.min(UNIT_PANELS_MOST, 2 * Math.max(1, Math.round(panels / TILE_UNITS / 2)));
  return { unitPanels, units: Math.ceil(panels / unitPanels) };
}
