// Products whose second operand is computed or a state: `matmul`, and `linear` by a weight that is trained; and `matmul` by
// a file's weight as it is packed, the gradient of `linear` by its inputs. What is added to a product that nobody else reads
// is added on the way; a sum that a state takes is added to it in place.
import { type Tensor, isState } from "../../graph/index.ts";
import { isAssign } from "./elementwise-groups.ts";
import { type Gemm, gemmSteps, isInTiles, isTileWeight, tileProductStep } from "./gemm.ts";
import { zeroKernel } from "./kernels/move.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, weightOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { isBinary, isByWeight, isProduct, transpositionOf } from "./patterns.ts";
import { type Place, countOf, partsOf } from "./step.ts";
import { productForms, tileOperand } from "./tile-operands.ts";

/** product + other. */
interface Sum {
  readonly product: Tensor;
  readonly other: Tensor;
}

/** What `node` is, where it adds something to a product that nobody else reads: to the later one, if both are. */
function sumOf(node: Tensor, lowering: Lowering): Sum | undefined {
  if (!isBinary(node, "add")) return undefined;
  const products = node.inputs.filter((input) => isProduct(input) && lowering.onlyReader(input) === node);
  if (products.length === 0) return undefined;
  const product = products.reduce((a, b) => (b.id > a.id ? b : a));
  return { product, other: node.inputs[node.inputs[0] === product ? 1 : 0] };
}

/** Whether a sum is state + product that the state takes and nobody else reads. */
function isAccumulated(node: Tensor, lowering: Lowering): boolean {
  const other = sumOf(node, lowering)?.other;
  const reader = lowering.onlyReader(node);
  if (other === undefined || reader === undefined || !isState(other)) return false;
  const readers = lowering.readers(other) ?? [];
  return isAssign(reader) && reader.inputs[0] === other && readers.every((it) => it === node || it === reader);
}

/** How a product and what is added to it are computed; does nothing for those made elsewhere. */
export function productFusion(node: Tensor, lowering: Lowering): Lower | undefined {
  const reader = isProduct(node) ? lowering.onlyReader(node) : undefined;
  if (reader !== undefined && sumOf(reader, lowering)?.product === node) return () => {};
  if (isAssign(node) && isAccumulated(node.inputs[1], lowering)) return () => {};
  if (isProduct(node)) return () => lowerProduct(node, lowering.place(node), undefined, lowering);
  const sum = sumOf(node, lowering);
  if (sum === undefined) return undefined;
  const other = lowering.place(sum.other);
  const out = isAccumulated(node, lowering) ? other : lowering.place(node);
  return () => lowerProduct(sum.product, out, other, lowering);
}

function lowerProduct(node: Tensor, out: Place, residual: Place | undefined, lowering: Lowering): void {
  const { machine, precision } = lowering.options;
  const [a, b, bias] = node.inputs;
  const transposed = transpositionOf(node);
  const inner = a.shape[transposed === "a" ? 0 : 1];
  const weight = isByWeight(node) ? weightOf(b, lowering).packed : undefined;
  const inTiles = machine.tiles && (weight === undefined || isTileWeight(weight, columnsOf(b)));
  const formed = {
    rows: node.shape[0],
    columns: inner,
    outer: node.shape[1],
    out,
    ...(transposed !== undefined && { transposed }),
    rounding: precision === "fast" && inTiles ? "bf16" : "f32",
    ...(bias !== undefined && { bias: lowering.place(bias) }),
    ...(residual !== undefined && { residual }),
  } as const;
  if (weight === undefined && isInTiles(formed.rounding, machine)) {
    const [formA, formB] = productForms(node);
    const places = [tileOperand(a, formA, lowering), tileOperand(b, formB, lowering)] as const;
    lowering.step(tileProductStep(formed, ...places));
  } else {
    const gemm: Gemm = {
      ...formed,
      a: lowering.place(a),
      b: weight === undefined ? lowering.place(b) : lowering.packedWeight(b, "all"),
      ...(weight !== undefined && { weight }),
    };
    const operands = { a, b };
    const steps = gemmSteps(gemm, machine, (bytes, operand, form) => {
      let isNew = false;
      const place = lowering.derived(operands[operand], form, () => {
        isNew = true;
        return lowering.temporary(bytes);
      });
      return { place, isNew };
    });
    for (const step of steps) lowering.step(step);
  }
  if (typeof inner === "number") return;
  // a run of no rows has nothing to multiply: what is left is what is added, or zeros
  const elements = countOf(node.shape);
  const parts = partsOf(elements, LEAST_ELEMENTS);
  if (residual === out) return;
  lowering.step({
    kernel: zeroKernel,
    words: { x: residual ?? 0, out, count: elements },
    parts: (extents) => (extents[inner.name] === 0 ? parts(extents) : 0),
  });
}
