// Products of a few rows and a weight that streams through once: which kernel, and its parts.
import type { ExtentValues, Tensor } from "../../graph/index.ts";
import { decodedKernels } from "./kernels/linear-decoded.ts";
import { floatKernels, isFloatFormat } from "./kernels/linear-float.ts";
import { int8Kernels } from "./kernels/linear-int8.ts";
import type { LinearKernel } from "./kernels/outputs.ts";
import { roundedActivations } from "./lower-activations.ts";
import { weightOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { GROUP_ROWS, type PackedFormat, packedBytes } from "./packed-layouts.ts";
import { countOf, valueOf } from "./step.ts";

/** Weight bytes that make a part worth claiming: some tens of microseconds. */
const LEAST_BYTES = 65536;
const PARTS_MOST = 256;

export function lowerDecodeLinear(node: Tensor, lowering: Lowering): void {
  const [x, weight, bias] = node.inputs;
  const { packed, outer, columns } = weightOf(weight, lowering);
  const isRounded = lowering.options.precision === "fast" && !isFloatFormat(packed);
  lowering.step({
    kernel: kernelFor(packed, isRounded),
    words: {
      x: isRounded ? roundedActivations(x, lowering) : lowering.place(x),
      weight: lowering.packedWeight(weight, "all"),
      bias: bias === undefined ? 0 : lowering.place(bias),
      out: lowering.place(node),
      rows: countOf([node.shape[0]]),
      columns,
      outer,
    },
    parts: decodeParts(node, packed, outer, columns),
  });
}

function kernelFor(format: PackedFormat, isRounded: boolean): LinearKernel {
  if (isFloatFormat(format)) return floatKernels[format];
  return isRounded ? int8Kernels[format] : decodedKernels[format];
}

/** Parts by groups of outputs. */
function decodeParts(node: Tensor, packed: PackedFormat, outer: number, columns: number) {
  const groups = Math.ceil(outer / GROUP_ROWS);
  const least = Math.max(1, Math.ceil(LEAST_BYTES / packedBytes(packed, GROUP_ROWS, columns)));
  const rows = countOf([node.shape[0]]);
  return (extents: ExtentValues): number =>
    valueOf(rows, extents) === 0 ? 0 : Math.max(1, Math.min(Math.floor(groups / least), PARTS_MOST));
}
