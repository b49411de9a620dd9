// Lowers a graph to steps: walks its values in order and asks the table for each op's kernels.
import type { Graph } from "../../graph/index.ts";
import { ElementwiseGroups, isElementwise } from "./elementwise-groups.ts";
import { type LowerOptions, type LoweredGraph, Lowering } from "./lowering.ts";
import { attentionFusion } from "./lower-attention.ts";
import { decodeFusion } from "./lower-decode.ts";
import { promptFusion } from "./lower-prompt.ts";
import { noKernel } from "./no-kernel.ts";
import type { Lower } from "./lower-common.ts";
import { lowerGroup } from "./lower-elementwise.ts";
import { productFusion } from "./lower-products.ts";
import { orderOf } from "./order.ts";
import { lowerings } from "./table.ts";

export type { LoweredGraph } from "./lowering.ts";

/** Throws UnsupportedError for an op that the table does not have. */
export function lower(graph: Graph, options: LowerOptions): LoweredGraph {
  const lowering = new Lowering(graph, options);
  const decodeRow = decodeFusion(lowering);
  const attentionRow = attentionFusion(lowering);
  const groups = new ElementwiseGroups(lowering, (group) => lowerGroup(group, lowering));
  lowering.beforeStep = (words) => groups.before(words);
  const elementwise: Lower = (node) => groups.add(node);
  for (const node of orderOf(graph)) {
    if (node.op.result === "leaf") continue;
    const row =
      decodeRow(node) ??
      promptFusion(node, lowering) ??
      productFusion(node, lowering) ??
      attentionRow(node) ??
      (isElementwise(node) ? elementwise : lowerings.get(node.op.name));
    if (row === undefined) throw noKernel(`the op ${node.op.name}`);
    row(node, lowering);
  }
  groups.flush();
  return lowering.finish();
}
