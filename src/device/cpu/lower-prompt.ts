// Products of a prompt's rows and a weight: which kernel, and its parts.
import { type ExtentValues, type Tensor } from "../../graph/index.ts";
import { PARTS_MAX } from "./control.ts";
import { decodedPanelKernels } from "./kernels/linear-decoded.ts";
import { isFloatFormat } from "./kernels/linear-float.ts";
import { panelKernels } from "./kernels/linear-panel.ts";
import { ROW_BLOCK } from "./kernels/panels.ts";
import { roundedActivations } from "./lower-activations.ts";
import { weightOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { GROUP_ROWS, type PackedFormat, packedBytes } from "./packed-layouts.ts";
import { countOf, valueOf } from "./step.ts";

/** Packed weight bytes times row blocks that make a part worth claiming. */
const LEAST_BYTES = 65536;
const PARTS_MOST = 256;

export function lowerPromptLinear(node: Tensor, lowering: Lowering): void {
  const [x, weight, bias] = node.inputs;
  const { packed, outer, columns } = weightOf(weight, lowering);
  const rounded = lowering.options.precision === "fast" && !isFloatFormat(packed);
  lowering.step({
    kernel: rounded ? panelKernels[packed] : decodedPanelKernels[packed],
    words: {
      x: rounded ? roundedActivations(x, lowering) : lowering.place(x),
      weight: lowering.packedWeight(weight, "all"),
      bias: bias === undefined ? 0 : lowering.place(bias),
      out: lowering.place(node),
      rows: countOf([node.shape[0]]),
      columns,
      outer,
    },
    parts: promptParts(node, packed, outer, columns),
  });
}

/** As many units as there are groups of outputs, for each block of rows. */
function promptParts(node: Tensor, packed: PackedFormat, outer: number, columns: number) {
  const groups = Math.ceil(outer / GROUP_ROWS);
  const least = Math.max(1, Math.ceil(LEAST_BYTES / packedBytes(packed, GROUP_ROWS, columns)));
  const rows = countOf([node.shape[0]]);
  return (extents: ExtentValues): number => {
    const count = valueOf(rows, extents);
    if (count === 0) return 0;
    const blocks = Math.ceil(count / ROW_BLOCK);
    return Math.max(1, Math.min(Math.floor((groups * blocks) / least), PARTS_MOST * blocks, PARTS_MAX));
  };
}
