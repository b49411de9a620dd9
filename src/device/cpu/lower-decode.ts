// Steps of the decode class: products of a few rows and weights that stream through once, and the rows between them, as
// decode-fusion.ts has put them together.
import { type ExtentValues, type Tensor, attributesOf, rmsNormOp } from "../../graph/index.ts";
import { type ProductUnit, type RowUnit, coreOf, decodeUnits, formsOf, readsRounded } from "./decode-fusion.ts";
import { decodeKernel } from "./kernels/linear-decode.ts";
import { normRowsKernel } from "./kernels/norm-rows.ts";
import { ACTIVATION_COLUMNS } from "./kernels/quantize.ts";
import { roundedActivations, roundedPlace } from "./lower-activations.ts";
import { type Lower, columnsOf, weightOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { GROUP_ROWS, packedBytes } from "./packed-layouts.ts";
import { type Word, countOf, floatWord, partsOf, valueOf } from "./step.ts";

/** Weight bytes that make a part worth claiming: some microseconds at the speed of memory. */
const LEAST_BYTES = 65536;
/**
 * Parts of a step, which taper (shareTapering): even on up to 8 threads. With many small ones, where what each thread asks
 * for ahead soon is the other's, a token takes a fifth longer; with 8 to 24 the same (bench/model.ts, 2 threads).
 */
const PARTS_MOST = 16;

/** How a value of the decode class is computed, where it is not as the table has it; does nothing for those made elsewhere. */
export function decodeFusion(lowering: Lowering): (node: Tensor) => Lower | undefined {
  const units = decodeUnits(lowering);
  return (node) => {
    const found = units.get(node);
    if (found === undefined) return undefined;
    const { unit, isPlace } = found;
    if (!isPlace) return () => {};
    return () => (unit.kind === "product" ? lowerProducts(unit, lowering) : lowerRows(unit, lowering));
  };
}

function lowerProducts({ linears, epilogue, results, residual }: ProductUnit, lowering: Lowering): void {
  const [x] = linears[0].inputs;
  const forms = results.map((result) => formsOf(result, lowering));
  const isWhole = results.every((result) => columnsOf(result) % ACTIVATION_COLUMNS === 0);
  const rounded = isWhole && forms.some((form) => form.rounded);
  const floats = !rounded || forms.some((form) => form.floats);
  const cores = linears.map((linear) => coreOf(linear, lowering));
  const rows = countOf([x.shape[0]]);
  const words: Record<string, Word> = {
    x: readsRounded(linears[0], lowering) ? roundedActivations(x, lowering) : lowering.place(x),
    rows,
    columns: columnsOf(x),
  };
  for (const [n, { inputs }] of linears.entries()) {
    words[`weight${n}`] = lowering.packedWeight(inputs[1], "all");
    words[`bias${n}`] = inputs.length > 2 ? lowering.place(inputs[2]) : 0;
  }
  for (const [n, result] of results.entries()) {
    words[`outer${n}`] = columnsOf(result);
    if (floats) words[`out${n}`] = lowering.place(result);
    if (rounded) words[`rounded${n}`] = roundedPlace(result, lowering);
  }
  if (residual !== undefined) words.other = lowering.place(residual);
  const unitRows = rounded ? ACTIVATION_COLUMNS : GROUP_ROWS;
  const units = results.reduce((sum, result) => sum + Math.ceil(columnsOf(result) / unitRows), 0);
  const bytes = linears.reduce((sum, { inputs }) => {
    const { packed, outer, columns } = weightOf(inputs[1], lowering);
    return sum + packedBytes(packed, outer, columns);
  }, 0);
  const parts = Math.ceil(Math.min(bytes / LEAST_BYTES, units, PARTS_MOST));
  lowering.step({
    kernel: decodeKernel({ cores, epilogue, floats, rounded }),
    words,
    parts: (extents: ExtentValues) => (valueOf(rows, extents) === 0 ? 0 : parts),
  });
}

function lowerRows({ before, sum, after }: RowUnit, lowering: Lowering): void {
  const forms = after === undefined ? { floats: false, rounded: false } : formsOf(after, lowering);
  const node = (sum ?? after) as Tensor;
  const rows = countOf([node.shape[0]]);
  const words: Record<string, Word> = { rows, size: columnsOf(node) };
  const norm = (node: Tensor, ending: string): void => {
    words[`gain${ending}`] = lowering.place(node.inputs[1]);
    words[`epsilon${ending}`] = floatWord(attributesOf(node, rmsNormOp).epsilon);
  };
  if (sum === undefined) words.x = lowering.place(node.inputs[0]);
  else {
    const [a, b] = sum.inputs;
    const [x, other] = before === undefined || before === a ? [a, b] : [b, a];
    words.x = lowering.place(before === undefined ? x : before.inputs[0]);
    words.other = lowering.place(other);
    words.sum = lowering.place(sum);
  }
  if (before !== undefined) norm(before, "0");
  if (after !== undefined) {
    norm(after, "");
    if (forms.floats) words.out = lowering.place(after);
    if (forms.rounded) words.rounded = roundedPlace(after, lowering);
  }
  const what = { before: before !== undefined, add: sum !== undefined, after: after !== undefined, ...forms };
  lowering.step({ kernel: normRowsKernel(what), words, parts: partsOf(rows, 1) });
}
