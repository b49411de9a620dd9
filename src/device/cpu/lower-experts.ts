// Steps of mixtures of experts: rows choose (kernels/choices.ts), are grouped by what they chose (kernels/group-rows.ts), go
// through the chosen weights, and what comes back is mixed (kernels/parts.ts). Loaded where a graph has experts.
import {
  type ExtentValues,
  type Tensor,
  attributesOf,
  bound,
  dotPartsOp,
  expertLinearOp,
  gatherColumnsOp,
  mixPartsOp,
  scatterColumnsOp,
  softmaxOp,
  spreadPartsOp,
  sumColumnsOp,
  topColumnsOp,
} from "../../graph/index.ts";
import { UnsupportedError } from "../../base/errors.ts";
import type { Kernel } from "../../lanes/index.ts";
import { expertShare } from "../leaves.ts";
import { coreOf, formsOf, isDecode, readsRounded } from "./decode-fusion.ts";
import { expertGate, isOfExpertGate, outputsOf, rowsBound, sharesRows } from "./expert-fusion.ts";
import { COLUMNS_MOST, gatherColumnsKernel, scatterColumnsKernel, topColumnsKernel } from "./kernels/choices.ts";
import { expertDecodeKernel } from "./kernels/expert-decode.ts";
import { expertPanelKernel, expertTileKernel, packTaskTilesKernel } from "./kernels/expert-prompt.ts";
import { EXPERTS_MOST, TASK_PANEL_ROWS, groupRowsKernel, taskBytes, tasksMost } from "./kernels/group-rows.ts";
import type { Epilogue } from "./kernels/linear-decode.ts";
import { decodedPanelParts } from "./kernels/panel-decoded.ts";
import { int8PanelParts } from "./kernels/panel-int8.ts";
import * as panelShapes from "./kernels/panel-shapes.ts";
import { ROW_BLOCK } from "./kernels/panels.ts";
import { PIECE_COLUMNS, dotPartsKernel, mixPartsKernel, spreadPartsKernel } from "./kernels/parts.ts";
import { ACTIVATION_COLUMNS, activationBytes } from "./kernels/quantize.ts";
import { roundPanelsKernel } from "./kernels/rounded-panels.ts";
import * as tileShapes from "./kernels/tile-shapes.ts";
import { PANEL_ROWS, tileFormBytes } from "./kernels/tiles.ts";
import { roundedActivations, roundedPlace } from "./lower-activations.ts";
import { LEAST_ELEMENTS, type Lower, columnsOf, emit, weightOf } from "./lower-common.ts";
import { activations } from "./lower-prompt.ts";
import { softmax, sumColumns } from "./lower-rows.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";
import { packedBytes } from "./packed-layouts.ts";
import { isExpertProduct, unaryKind } from "./patterns.ts";
import { promptForm, tileUnits } from "./prompt-class.ts";
import { type Count, type Place, type Word, countOf, partsOf, valueOf } from "./step.ts";

/** Weight bytes that make a part worth claiming, and the most parts of a step (lower-decode.ts). */
const LEAST_BYTES = 65536;
const DECODE_PARTS_MOST = 32;
/** Rows of a prompt's experts come uneven, so that a step has more parts than there are threads by far. */
const PROMPT_PARTS_MOST = 128;

const topColumns: Lower = (node, lowering) => {
  const [x] = node.inputs;
  const { count, groups } = attributesOf(node, topColumnsOp);
  if (columnsOf(x) > COLUMNS_MOST) {
    throw new UnsupportedError(`A choice of ${columnsOf(x)} columns; kernels can do ${COLUMNS_MOST} at most.`);
  }
  const words = {
    x: lowering.place(x),
    rows: countOf([x.shape[0]]),
    columns: columnsOf(x),
    count,
    groups: groups?.count ?? 0,
    kept: groups?.kept ?? 0,
    two: groups?.by === 2 ? 1 : 0,
  };
  const least = Math.ceil(LEAST_ELEMENTS / (columnsOf(x) * count));
  emit(lowering, node, topColumnsKernel, words, { of: words.rows, least });
};

const gatherColumns: Lower = (node, lowering) => {
  const [x, ids] = node.inputs;
  const rows = countOf([x.shape[0]]);
  const words = { x: lowering.place(x), ids: lowering.place(ids), rows, columns: columnsOf(x), count: columnsOf(ids) };
  emit(lowering, node, gatherColumnsKernel, words, { of: rows, least: LEAST_ELEMENTS / 16 });
};

const scatterColumns: Lower = (node, lowering) => {
  const [ids, x] = node.inputs;
  const rows = countOf([x.shape[0]]);
  const words = {
    x: lowering.place(x),
    ids: lowering.place(ids),
    rows,
    columns: columnsOf(node),
    count: columnsOf(ids),
  };
  emit(lowering, node, scatterColumnsKernel, words, { of: rows, least: Math.ceil(LEAST_ELEMENTS / columnsOf(node)) });
};

/** The step of an op over parts: how many there are, what a row is, which of its inputs are which words. */
function partsStep(
  node: Tensor,
  kernel: Kernel,
  count: number,
  columns: number,
  names: [string, string],
  lowering: Lowering,
): void {
  const [first, second] = node.inputs.map((input) => lowering.place(input));
  const rows = countOf([node.shape[0]]);
  const pieces = Math.ceil(columns / PIECE_COLUMNS);
  emit(
    lowering,
    node,
    kernel,
    { [names[0]]: first, [names[1]]: second, rows, columns, count },
    {
      of: countOf([node.shape[0]], pieces),
      least: Math.ceil(LEAST_ELEMENTS / (count * Math.min(columns, PIECE_COLUMNS))),
    },
  );
}

const mixParts: Lower = (node, lowering) =>
  partsStep(node, mixPartsKernel, columnsOf(node.inputs[1]), columnsOf(node), ["parts", "weights"], lowering);
const spreadParts: Lower = (node, lowering) =>
  partsStep(node, spreadPartsKernel, columnsOf(node.inputs[1]), columnsOf(node.inputs[0]), ["x", "weights"], lowering);
const dotParts: Lower = (node, lowering) =>
  partsStep(node, dotPartsKernel, columnsOf(node), columnsOf(node.inputs[1]), ["parts", "x"], lowering);

/** Choices in the order of the experts that they are of. */
export interface Grouping {
  readonly tasks: Place;
  readonly order: Place;
  readonly starts: Place;
}

/** Groups choices, in tasks of at most `most` rows; made by the first who asks. */
export function grouped(choices: Tensor, experts: number, most: number, lowering: Lowering): Grouping {
  if (experts > EXPERTS_MOST) {
    throw new UnsupportedError(`A mixture of ${experts} experts; kernels can do ${EXPERTS_MOST} at most.`);
  }
  const count = countOf(choices.shape);
  const countMost = bound(choices.shape[0]) * columnsOf(choices);
  let isNew = false;
  const part = (name: string, bytes: number): Place =>
    lowering.derived(choices, `${name} ${experts} ${most}`, () => {
      isNew = true;
      return lowering.temporary(bytes);
    });
  const tasks = part("tasks", taskBytes(tasksMost(countMost, experts, most)));
  const [order, starts] = [part("order", countMost * 4), part("starts", (experts + 1) * 4)];
  if (isNew) {
    lowering.step({
      kernel: groupRowsKernel,
      words: { choices: lowering.place(choices), starts, order, tasks, count, experts, most },
      parts: () => 1,
    });
  }
  return { tasks, order, starts };
}

/** Products of one x with the same choices, and what becomes of them. */
interface Unit {
  readonly products: readonly Tensor[];
  readonly epilogue: Epilogue;
  readonly result: Tensor;
}

/** How a value of experts is computed together with others; does nothing for those made elsewhere. */
export function expertFusion(node: Tensor, lowering: Lowering): Lower | undefined {
  const gate = expertGate(node, lowering);
  if (gate !== undefined) {
    const { x, other, activation } = gate;
    return () =>
      lowerUnit(
        { products: [x, other], epilogue: { kind: "gate", by: unaryKind(activation) }, result: node },
        lowering,
      );
  }
  if (isOfExpertGate(node, lowering)) return () => {};
  if (!isExpertProduct(node)) return undefined;
  return () => lowerUnit({ products: [node], epilogue: { kind: "none" }, result: node }, lowering);
}

function lowerUnit(unit: Unit, lowering: Lowering): void {
  if (isDecode(unit.result)) lowerDecode(unit, lowering);
  else lowerPrompt(unit, lowering);
}

const matrixBytes = (product: Tensor, lowering: Lowering): number => {
  const { packed, columns } = weightOf(product.inputs[1], lowering);
  return packedBytes(packed, outputsOf(product), columns);
};

/** Choices that a row of x has to itself. */
const sharedBy = (product: Tensor, lowering: Lowering): number =>
  sharesRows(product, lowering) ? columnsOf(product.inputs[2]) : 1;

function lowerDecode({ products, epilogue, result }: Unit, lowering: Lowering): void {
  const [x, , choices] = products[0].inputs;
  const { experts } = attributesOf(products[0], expertLinearOp);
  const outer = outputsOf(products[0]);
  const forms = formsOf(result, lowering);
  const rounded = outer % ACTIVATION_COLUMNS === 0 && forms.rounded;
  const floats = !rounded || forms.floats;
  const { tasks, order } = grouped(choices, experts, DECODE_ROWS, lowering);
  const words: Record<string, Word> = {
    x: readsRounded(products[0], lowering) ? roundedActivations(x, lowering) : lowering.place(x),
    columns: weightOf(products[0].inputs[1], lowering).columns,
    tasks,
    order,
    shared: sharedBy(products[0], lowering),
    outer0: outer,
  };
  for (const [n, product] of products.entries()) {
    words[`weight${n}`] = lowering.packedWeight(product.inputs[1], { share: expertShare(product) });
    words[`matrix${n}`] = matrixBytes(product, lowering);
    words[`bias${n}`] = 0;
  }
  if (floats) words.out0 = lowering.place(result);
  if (rounded) words.rounded0 = roundedPlace(result, lowering);
  const rows = countOf(choices.shape);
  const bytes = products.reduce((sum, product) => sum + matrixBytes(product, lowering), 0);
  lowering.step({
    kernel: expertDecodeKernel({
      cores: products.map((product) => coreOf(product, lowering)),
      epilogue,
      floats,
      rounded,
    }),
    words,
    parts: (extents: ExtentValues) =>
      Math.ceil(Math.min((valueOf(rows, extents) * bytes) / LEAST_BYTES, DECODE_PARTS_MOST)),
  });
}

function lowerPrompt({ products, epilogue, result }: Unit, lowering: Lowering): void {
  const [product] = products;
  const [, weight, choices] = product.inputs;
  const { experts } = attributesOf(product, expertLinearOp);
  const [gated, outer] = [epilogue.kind === "gate", outputsOf(product)];
  const { form } = promptForm(weight, lowering);
  const most = form === "tiles" ? tileShapes.UNIT_ROW_PANELS * PANEL_ROWS : ROW_BLOCK;
  const { tasks, order } = grouped(choices, experts, most, lowering);
  const rowCount = countOf([result.shape[0]]);
  const targets = countOf(choices.shape);
  const shared = sharedBy(product, lowering);
  const { unitPanels } = tileUnits(outer, gated);
  const share = { share: expertShare(product) };
  const words: Record<string, Word> = {
    x: expertActivations(product, form, { tasks, order }, lowering),
    weight: lowering.packedWeight(weight, share),
    second: gated ? lowering.packedWeight(products[1].inputs[1], share) : 0,
    matrix: matrixBytes(product, lowering),
    out: gated ? gatedPlace(result, product, form, lowering) : lowering.place(result),
    sources: shared === 1 ? targets : rowCount,
    targets,
    shared,
    columns: weightOf(weight, lowering).columns,
    outer,
    tasks,
    order,
    unitPanels,
  };
  lowering.step({
    kernel: promptKernel(product, epilogue, lowering),
    words,
    parts: (extents) => promptParts(valueOf(targets, extents), experts, most, outer),
  });
}

/** Every 32 outputs of a task are a part at most. */
function promptParts(choices: number, experts: number, most: number, outer: number): number {
  return Math.min(tasksMost(choices, experts, most) * Math.ceil(outer / PANEL_ROWS), PROMPT_PARTS_MOST);
}

function promptKernel(product: Tensor, epilogue: Epilogue, lowering: Lowering): Kernel {
  const by = epilogue.kind === "gate" ? epilogue.by : undefined;
  const of = promptForm(product.inputs[1], lowering);
  const suffix = by === undefined ? "" : `.${by}`;
  if (of.form === "tiles") {
    return expertTileKernel(of.packed, suffix, by === undefined ? tileShapes.plain() : tileShapes.gated(by));
  }
  const shape = by === undefined ? panelShapes.plain() : panelShapes.gated(by, of.form);
  const parts =
    of.form === "int8" ? int8PanelParts(of.packed, suffix, shape) : decodedPanelParts(of.packed, suffix, shape);
  return expertPanelKernel(parts);
}

/** What values that each choice has its own part of are called in a form. */
const partForm = (form: "int8" | "tiles", choices: Tensor): string => `parts ${form} ${choices.id}`;

function partBytes(form: "int8" | "tiles", product: Tensor, columns: number): number {
  const choices = rowsBound(product) * columnsOf(product.inputs[2]);
  if (form === "int8") return activationBytes(choices, columns);
  const { experts } = attributesOf(product, expertLinearOp);
  const most = tasksMost(choices, experts, tileShapes.UNIT_ROW_PANELS * PANEL_ROWS);
  return tileFormBytes(choices + most * TASK_PANEL_ROWS, columns);
}

/** Where x lies in the form that a product reads, made by the first one that asks. */
function expertActivations(
  product: Tensor,
  form: "f32" | "int8" | "tiles",
  { tasks, order }: Pick<Grouping, "tasks" | "order">,
  lowering: Lowering,
): Place {
  const [x, weight, choices] = product.inputs;
  if (form === "f32") return lowering.place(x);
  const shared = sharedBy(product, lowering);
  if (form === "int8" && shared > 1) return activations(x, form, lowering);
  const { columns } = weightOf(weight, lowering);
  return lowering.derived(x, partForm(form, choices), () => {
    const out = lowering.temporary(partBytes(form, product, columns));
    const rows: Count = countOf(choices.shape);
    const parts = partsOf(countOf(choices.shape, columns), LEAST_ELEMENTS);
    const words = { x: lowering.place(x), out, columns };
    if (form === "int8") lowering.step({ kernel: roundPanelsKernel, words: { ...words, rows }, parts });
    else lowering.step({ kernel: packTaskTilesKernel, words: { ...words, tasks, order, shared }, parts });
    return out;
  });
}

/** Where a gated product goes: what products read, in their form. */
function gatedPlace(node: Tensor, product: Tensor, form: "f32" | "int8" | "tiles", lowering: Lowering): Place {
  if (form === "f32") return lowering.place(node);
  return lowering.derived(node, partForm(form, product.inputs[2]), () =>
    lowering.temporary(partBytes(form, product, outputsOf(product))),
  );
}

export const lowerings: ReadonlyMap<string, Lower> = new Map<string, Lower>([
  [topColumnsOp.name, topColumns],
  [gatherColumnsOp.name, gatherColumns],
  [scatterColumnsOp.name, scatterColumns],
  [mixPartsOp.name, mixParts],
  [spreadPartsOp.name, spreadParts],
  [dotPartsOp.name, dotParts],
  [softmaxOp.name, softmax],
  [sumColumnsOp.name, sumColumns],
]);
