// The rounded form of activations: made on the way of who computes them, or by a step of its own for the first weight that
// asks for it.
import { type Tensor, bound } from "../../graph/index.ts";
import { ACTIVATION_COLUMNS, activationBytes, quantizeKernel } from "./kernels/quantize.ts";
import { LEAST_ELEMENTS } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { type Place, countOf, partsOf } from "./step.ts";

/** Where a value goes as int8 blocks, for who computes it. */
export const roundedPlace = (x: Tensor, lowering: Lowering): Place =>
  lowering.derived(x, "int8", () => lowering.temporary(activationBytes(bound(x.shape[0]), x.shape[1] as number)));

/** Where x lies as int8 blocks. */
export function roundedActivations(x: Tensor, lowering: Lowering): Place {
  return lowering.derived(x, "int8", () => {
    const columns = x.shape[1] as number;
    const out = lowering.temporary(activationBytes(bound(x.shape[0]), columns));
    const blocks = countOf([x.shape[0]], columns / ACTIVATION_COLUMNS);
    lowering.step({
      kernel: quantizeKernel,
      words: { x: lowering.place(x), out, blocks },
      parts: partsOf(blocks, LEAST_ELEMENTS / ACTIVATION_COLUMNS),
    });
    return out;
  });
}
