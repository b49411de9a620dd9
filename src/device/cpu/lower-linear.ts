// Which kernel multiplies by a weight: by the weight's format, the precision asked for, and the class of the program
// (decode or prompt), which depends on bounds alone.
import { UnsupportedError } from "../../base/errors.ts";
import { type ExtentValues, type Tensor, bound, isParameter } from "../../graph/index.ts";
import { PARTS_MAX } from "./control.ts";
import { decodedKernels, decodedPanelKernels } from "./kernels/linear-decoded.ts";
import { floatKernels, isFloatFormat } from "./kernels/linear-float.ts";
import { int8Kernels } from "./kernels/linear-int8.ts";
import { panelKernels } from "./kernels/linear-panel.ts";
import { ROW_BLOCK } from "./kernels/panels.ts";
import { ACTIVATION_COLUMNS, activationBytes, quantizeKernel } from "./kernels/quantize.ts";
import type { LinearKernel } from "./kernels/outputs.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";
import { GROUP_ROWS, type PackedFormat, packedBytes, packedFormat } from "./packed-layouts.ts";
import { type Place, countOf, partsOf, valueOf } from "./step.ts";

/** Weight bytes that make a part worth claiming: some tens of microseconds. */
const LEAST_BYTES = 65536;
const PARTS_MOST = 256;
/** Activation blocks that make a part. */
const LEAST_BLOCKS = 256;

export function lowerLinear(node: Tensor, lowering: Lowering): void {
  const [x, weight, bias] = node.inputs;
  if (!isParameter(weight)) throw new UnsupportedError("linear by a computed weight has no kernel.");
  const { format, rows: outer, columns } = lowering.stored(weight);
  const packed = packedFormat(format);
  const isDecode = bound(node.shape[0]) <= DECODE_ROWS;
  const isRounded = lowering.options.precision === "fast" && !isFloatFormat(packed);
  lowering.step({
    kernel: kernelFor(packed, isDecode, isRounded),
    words: {
      x: isRounded ? roundedActivations(x, lowering) : lowering.place(x),
      weight: lowering.packedWeight(weight, "all"),
      bias: bias === undefined ? 0 : lowering.place(bias),
      out: lowering.place(node),
      rows: countOf([node.shape[0]]),
      columns,
      outer,
    },
    parts: linearParts(node, packed, outer, columns, isDecode),
  });
}

function kernelFor(format: PackedFormat, isDecode: boolean, isRounded: boolean): LinearKernel {
  if (isFloatFormat(format)) return isDecode ? floatKernels[format] : decodedPanelKernels[format];
  if (isRounded) return isDecode ? int8Kernels[format] : panelKernels[format];
  return isDecode ? decodedKernels[format] : decodedPanelKernels[format];
}

/** Parts by groups of outputs; the prompt class has as many units for each block of rows. */
function linearParts(node: Tensor, packed: PackedFormat, outer: number, columns: number, isDecode: boolean) {
  const groups = Math.ceil(outer / GROUP_ROWS);
  const least = Math.max(1, Math.ceil(LEAST_BYTES / packedBytes(packed, GROUP_ROWS, columns)));
  const rows = countOf([node.shape[0]]);
  return (extents: ExtentValues): number => {
    const count = valueOf(rows, extents);
    if (count === 0) return 0;
    const blocks = isDecode ? 1 : Math.ceil(count / ROW_BLOCK);
    return Math.max(1, Math.min(Math.floor((groups * blocks) / least), PARTS_MOST * blocks, PARTS_MAX));
  };
}

/** The rounded form of activations, made by the first weight that asks for it. */
function roundedActivations(x: Tensor, lowering: Lowering): Place {
  return lowering.derived(x, "int8", () => {
    const columns = x.shape[1] as number;
    const out = lowering.temporary(activationBytes(bound(x.shape[0]), columns));
    const blocks = countOf([x.shape[0]], columns / ACTIVATION_COLUMNS);
    lowering.step({
      kernel: quantizeKernel,
      words: { x: lowering.place(x), out, blocks },
      parts: partsOf(blocks, LEAST_BLOCKS),
    });
    return out;
  });
}
