// Products of the prompt class that an adapter stands beside: x Wᵀ + x A B, where all rows choose one adapter. In tiles both are
// one product (kernels/low-rank-tiles.ts), so that norms, gates and residuals are computed on its way as without an adapter.
// Here: the pattern, and the places that it reads. In other forms the adapter's products are steps of their own.
import { type Tensor, bound, gatherMatmulOp } from "../../graph/index.ts";
import { HALF, RANK_MOST, lowFormBytes, lowSteps, lowTilesKernel } from "./kernels/low-rank-tiles.ts";
import { PANEL_ROWS } from "./kernels/tiles.ts";
import { columnsOf } from "./lower-common.ts";
import type { Lowering } from "./lowering.ts";
import { isPromptLinear, promptProduct } from "./prompt-class.ts";
import { type Place, type Word, countOf, valueOf } from "./step.ts";
import { PARTS_MAX } from "./control.ts";

/** What is added to a product by a weight. */
export interface AddedAdapter {
  /** x A (N, R), of the x that the weight multiplies. */
  readonly low: Tensor;
  readonly tables: Tensor;
  readonly choice: Tensor;
}

/** A product by a file's weight, with what an adapter adds to it. */
export interface PromptProductNode {
  readonly linear: Tensor;
  readonly adapter?: AddedAdapter;
}

const isGatherMatmul = (node: Tensor): boolean => node.op === gatherMatmulOp;

/** The adapter that `node` adds to a product that nobody else reads. */
function adaptedProduct(node: Tensor, lowering: Lowering): Required<PromptProductNode> | undefined {
  if (!isGatherMatmul(node)) return undefined;
  const [low, tables, choice, linear] = node.inputs;
  if (linear === undefined || !isPromptLinear(linear) || lowering.onlyReader(linear) !== node) return undefined;
  const isBeside = isGatherMatmul(low) && low.inputs.length === 3 && low.inputs[0] === linear.inputs[0];
  if (!isBeside || low.inputs[2] !== choice || lowering.onlyReader(low) !== node || choice.shape[0] !== 1) {
    return undefined;
  }
  if (lowering.readers(low.inputs[0]) === undefined) return undefined;
  const rank = columnsOf(low);
  if (rank % HALF !== 0 || rank > RANK_MOST || promptProduct(linear.inputs[1], lowering).form !== "tiles") {
    return undefined;
  }
  return { linear, adapter: { low, tables, choice } };
}

/** What `node` is, where it is a product with or without an adapter's. */
export const productAt = (node: Tensor, lowering: Lowering): PromptProductNode | undefined =>
  isPromptLinear(node) ? { linear: node } : adaptedProduct(node, lowering);

/** Whether this is a part of an adapted product, which is computed with it. */
export function isPartOfAdapted(node: Tensor, lowering: Lowering): boolean {
  const reader = lowering.onlyReader(node);
  const adapted = reader === undefined ? undefined : adaptedProduct(reader, lowering);
  return adapted?.linear === node || adapted?.adapter.low === node;
}

/** All x A of one x that adapted products read, in the order in which their halves stand. */
function lowsOf({ low, choice }: AddedAdapter, lowering: Lowering): readonly Tensor[] {
  const [x] = low.inputs;
  return lowering
    .readers(x)!
    .filter(
      (reader) =>
        isGatherMatmul(reader) &&
        reader.inputs[0] === x &&
        reader.inputs[2] === choice &&
        columnsOf(reader) === columnsOf(low) &&
        isPartOfAdapted(reader, lowering),
    );
}

/** The words of what is added to one product, or to both of a gated one; `activations` gives x in tile form. */
export function besideWordsOf(
  adapter: AddedAdapter,
  second: AddedAdapter,
  activations: () => Place,
  lowering: Lowering,
): Readonly<Record<string, Word>> {
  const lows = lowsOf(adapter, lowering);
  const halves = columnsOf(adapter.low) / HALF;
  const halfOf = ({ low }: AddedAdapter): number => lows.indexOf(low) * halves;
  return {
    low: lowForm(adapter, lows, activations, lowering),
    lowSteps: lowSteps(lows.length * halves),
    choice: lowering.place(adapter.choice),
    rank: columnsOf(adapter.low),
    left: lowering.place(adapter.tables),
    right: lowering.place(second.tables),
    leftHalf: halfOf(adapter),
    rightHalf: halfOf(second),
  };
}

/** Where x A of all of them lies; made by the first one that asks. */
function lowForm(
  { low, choice }: AddedAdapter,
  lows: readonly Tensor[],
  activations: () => Place,
  lowering: Lowering,
): Place {
  const [x] = low.inputs;
  const [rank, steps] = [columnsOf(low), lowSteps((lows.length * columnsOf(low)) / HALF)];
  return lowering.derived(x, `low ${choice.id} ${rank}`, () => {
    const from = activations();
    const out = lowering.temporary(lowFormBytes(bound(x.shape[0]), 2 * steps));
    const rows = countOf([x.shape[0]]);
    const tables = lows.map((one, n): [string, Place] => [`table${n}`, lowering.place(one.inputs[1])]);
    lowering.step({
      kernel: lowTilesKernel(lows.length),
      words: {
        x: from,
        out,
        choice: lowering.place(choice),
        rows,
        columns: columnsOf(x),
        rank,
        steps,
        ...Object.fromEntries(tables),
      },
      parts: (extents) => Math.min(Math.ceil(valueOf(rows, extents) / PANEL_ROWS) * steps, PARTS_MAX),
    });
    return out;
  });
}
