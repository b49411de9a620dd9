// Products of a prompt's rows and a weight: their steps and parts, with what is computed on their way (prompt-fusion.ts).
import { type ExtentValues, type Tensor, attributesOf, bound, rmsNormOp } from "../../graph/index.ts";
import type { Kernel } from "../../lanes/index.ts";
import { PARTS_MAX } from "./control.ts";
import { floatKernels, floatUnits } from "./kernels/linear-floats.ts";
import { FLOAT_BYTES } from "./kernels/loops.ts";
import { UNIT_ROW_PANELS } from "./kernels/tile-shapes.ts";
import { PANELS_TOGETHER, ROW_BLOCK } from "./kernels/panels.ts";
import { PANEL_ROWS, STEP_COLUMNS, packNormTilesKernel, packTilesKernel, tileFormBytes } from "./kernels/tiles.ts";
import { activationBytes } from "./kernels/quantize.ts";
import { roundNormPanelsKernel, roundPanelsKernel } from "./kernels/rounded-panels.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, weightOf } from "./lower-common.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";
import { GROUP_ROWS, packedBytes } from "./packed-layouts.ts";
import { isUnary, unaryKind } from "./patterns.ts";
import { type PromptProductNode, besideWordsOf, productAt } from "./prompt-adapters.ts";
import { type ActivationForm, type PromptProduct, promptProduct, tileUnits } from "./prompt-class.ts";
import {
  activatedProduct,
  gatedProduct,
  isFusedProduct,
  isPackedNorm,
  isReadAs,
  residualProduct,
} from "./prompt-fusion.ts";
import { type Place, type Step, type Word, countOf, floatWord, partsOf, valueOf } from "./step.ts";

/** Packed weight bytes times row blocks that make a part worth claiming; 16 to 256 KiB are as fast (bench/model.ts). */
const LEAST_BYTES = 65536;
/**
 * Parts that keep all threads busy to the end of a step: where there are more panels, a part has several, which are cheaper
 * together. For 2 threads 16 to 256 are as fast (bench/model.ts); more threads ask for more.
 */
const PARTS_ENOUGH = 64;

/** How a value of a prompt program is computed, where it is not as the table has it; does nothing for those made elsewhere. */
export function promptFusion(node: Tensor, lowering: Lowering): Lower | undefined {
  if (node.shape.length !== 2 || bound(node.shape[0]) <= DECODE_ROWS) return undefined;
  if (isFusedProduct(node, lowering) || isPackedNorm(node, lowering)) return () => {};
  if (isUnary(node)) {
    const reader = lowering.onlyReader(node);
    const gated = reader === undefined ? undefined : gatedProduct(reader, lowering);
    if (gated?.activation === node) return () => {};
    return activatedProduct(node, lowering) === undefined ? undefined : lowerActivated;
  }
  if (gatedProduct(node, lowering) !== undefined) return lowerGated;
  if (residualProduct(node, lowering) !== undefined) return lowerResidual;
  const product = productAt(node, lowering);
  return product?.adapter && (() => productStep(product, lowering, { out: lowering.place(node), residual: 0 }));
}

export const lowerPromptLinear: Lower = (linear, lowering) =>
  productStep({ linear }, lowering, { out: lowering.place(linear), residual: 0 });

const kernelsOf = ({ linear, adapter }: PromptProductNode, lowering: Lowering): PromptProduct =>
  promptProduct(linear.inputs[1], lowering, adapter !== undefined);

const lowerActivated: Lower = (node, lowering) => {
  const product = productAt(activatedProduct(node, lowering)!, lowering)!;
  const by = unaryKind(node);
  const { form, formed, kernel } = kernelsOf(product, lowering);
  const isFormed = formed !== undefined && columnsOf(node) % STEP_COLUMNS === 0 && isReadAs(node, "tiles", lowering);
  const out = isFormed ? outPlace(node, form, lowering) : lowering.place(node);
  productStep(product, lowering, { out, residual: 0 }, isFormed ? formed(by) : kernel(by));
};

const lowerResidual: Lower = (node, lowering) => {
  const { product, residual } = residualProduct(node, lowering)!;
  const words = { out: lowering.place(node), residual: lowering.place(residual) };
  productStep(productAt(product, lowering)!, lowering, words);
};

const lowerGated: Lower = (node, lowering) => {
  const { x, activation, other } = gatedProduct(node, lowering)!;
  const [first, second] = [x, other].map((value) => productAt(value, lowering)!);
  const { form, gated } = kernelsOf(first, lowering);
  const words = {
    second: lowering.packedWeight(second.linear.inputs[1], "all"),
    out: outPlace(node, form, lowering),
    residual: 0,
  };
  productStep(first, lowering, words, gated(unaryKind(activation)), second);
};

/** Where a gated product goes: what products read, in their form. */
function outPlace(node: Tensor, form: ActivationForm, lowering: Lowering): Place {
  if (form === "f32") return lowering.place(node);
  const { bytes } = formKernels[form];
  return lowering.derived(node, `prompt ${form}`, () =>
    lowering.temporary(bytes(bound(node.shape[0]), columnsOf(node))),
  );
}

/**
 * One step that multiplies what a product multiplies, with its adapter; `by`: another kernel than that of a plain product,
 * `second`: what it multiplies besides, where it is gated.
 */
function productStep(
  product: PromptProductNode,
  lowering: Lowering,
  words: Readonly<Record<string, Word>>,
  by?: ReturnType<PromptProduct["kernel"]>,
  second = product,
): void {
  const { linear, adapter } = product;
  const [x, weight, bias] = linear.inputs;
  const { outer, columns } = weightOf(weight, lowering);
  const { form, kernel } = kernelsOf(product, lowering);
  const { unitPanels, units } = tileUnits(outer, "second" in words);
  const chosen = by ?? kernel("none");
  const record: Record<string, Word> = {
    x: activations(x, form, lowering),
    weight: lowering.packedWeight(weight, "all"),
    second: 0,
    bias: bias === undefined ? 0 : lowering.place(bias),
    rows: countOf([linear.shape[0]]),
    columns,
    outer,
    unitPanels,
    threads: lowering.options.threads ?? 1,
    ...(adapter && besideWordsOf(adapter, second.adapter!, () => activations(x, form, lowering), lowering)),
    ...words,
  };
  lowering.step({
    kernel: chosen,
    words: record,
    parts:
      form === "tiles"
        ? tileParts(linear, units)
        : isFloatKernel(chosen)
          ? floatParts(linear, lowering)
          : panelParts(linear, lowering),
  });
}

/** Every unit is a part. */
function tileParts(linear: Tensor, units: number) {
  const rows = countOf([linear.shape[0]]);
  return (extents: ExtentValues): number => {
    const blocks = Math.ceil(valueOf(rows, extents) / (UNIT_ROW_PANELS * PANEL_ROWS));
    return Math.min(units * blocks, PARTS_MAX);
  };
}

const ofFloats: ReadonlySet<Kernel> = new Set<Kernel>(Object.values(floatKernels));
const isFloatKernel = (kernel: Kernel): boolean => ofFloats.has(kernel);

/** Every unit is a part, or some of them. */
function floatParts(linear: Tensor, lowering: Lowering) {
  const { outer, columns } = weightOf(linear.inputs[1], lowering);
  const { machine } = lowering.options;
  const rows = countOf([linear.shape[0]]);
  return (extents: ExtentValues): number => {
    const units = floatUnits(machine, valueOf(rows, extents), outer);
    const bytes = outer * columns * FLOAT_BYTES;
    return Math.min(units, PARTS_ENOUGH, Math.ceil(units * Math.min(1, bytes / LEAST_BYTES)), PARTS_MAX);
  };
}

/** Tells products by f32 weights which weight is read after theirs, that of the last one itself. */
export function withFollowing(steps: readonly Step[]): Step[] {
  let following: Step | undefined;
  const told = steps.toReversed().map((step) => {
    if (!isFloatKernel(step.kernel)) return step;
    const { weight, columns } = (following ?? step).words;
    following = step;
    return { ...step, words: { ...step.words, following: weight, followingColumns: columns } };
  });
  return told.reverse();
}

/** A part is some panels of two groups of outputs by a block of rows. */
function panelParts(linear: Tensor, lowering: Lowering) {
  const { packed, outer, columns } = weightOf(linear.inputs[1], lowering);
  const groups = Math.ceil(outer / GROUP_ROWS);
  const least = Math.max(1, Math.ceil(LEAST_BYTES / packedBytes(packed, GROUP_ROWS, columns)));
  const rows = countOf([linear.shape[0]]);
  return (extents: ExtentValues): number => {
    const count = valueOf(rows, extents);
    if (count === 0) return 0;
    const blocks = Math.ceil(count / ROW_BLOCK);
    const panels = Math.ceil(groups / 2) * blocks;
    const parts = Math.max(Math.ceil(panels / PANELS_TOGETHER), Math.min(panels, PARTS_ENOUGH));
    return Math.max(1, Math.min(parts, Math.floor((groups * blocks) / least), PARTS_MAX));
  };
}

/** What brings rows of f32 to a form, as they are or normalised first. */
const formKernels = {
  int8: { bytes: activationBytes, plain: roundPanelsKernel, norm: roundNormPanelsKernel },
  tiles: { bytes: tileFormBytes, plain: packTilesKernel, norm: packNormTilesKernel },
} as const;

/** Where x lies in the form that a product reads; made by the first one that asks. */
export function activations(x: Tensor, form: ActivationForm, lowering: Lowering): Place {
  if (form === "f32") return lowering.place(x);
  return lowering.derived(x, `prompt ${form}`, () => {
    const { bytes, plain, norm } = formKernels[form];
    const columns = columnsOf(x);
    const out = lowering.temporary(bytes(bound(x.shape[0]), columns));
    const rows = countOf([x.shape[0]]);
    const parts = partsOf(countOf([x.shape[0]], columns), LEAST_ELEMENTS);
    if (!isPackedNorm(x, lowering)) {
      lowering.step({ kernel: plain, words: { x: lowering.place(x), out, rows, columns }, parts });
      return out;
    }
    const [from, gain] = x.inputs.map((input) => lowering.place(input));
    const epsilon = floatWord(attributesOf(x, rmsNormOp).epsilon);
    lowering.step({ kernel: norm, words: { x: from, gain, out, rows, columns, epsilon }, parts });
    return out;
  });
}
