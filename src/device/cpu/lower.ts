// Lowers a graph to steps: walks its values in order and asks the table for each op's kernels.
import { type Graph, type Op, type Tensor, attentionOp } from "../../graph/index.ts";
import { ElementwiseGroups, isElementwise } from "./elementwise-groups.ts";
import { type LowerOptions, type LoweredGraph, Lowering } from "./lowering.ts";
import { attentionFusion } from "./lower-attention.ts";
import { decodeFusion } from "./lower-decode.ts";
import { promptFusion, withFollowing } from "./lower-prompt.ts";
import { noKernel } from "./no-kernel.ts";
import type { Lower } from "./lower-common.ts";
import { lowerGroup } from "./lower-elementwise.ts";
import { orderOf } from "./order.ts";
import { isExpertProduct, isOfExperts, isProduct } from "./patterns.ts";
import { lowerings } from "./table.ts";

export type { LoweredGraph } from "./lowering.ts";

/** Whether running a model needs this too: the table has it, or what goes before the table. */
const isOfModels = (node: Tensor, experts: Experts): boolean =>
  node.op.result === "leaf" ||
  node.op === (attentionOp as Op) ||
  isElementwise(node) ||
  isExpertProduct(node) ||
  (lowerings.has(node.op.name) && !isProduct(node)) ||
  experts?.lowerings.has(node.op.name) === true;

/** What only mixtures of experts need, where a graph has one. */
type Experts = typeof import("./lower-experts.ts") | undefined;

/** Throws UnsupportedError for an op that the table does not have. */
export async function lower(graph: Graph, options: LowerOptions): Promise<LoweredGraph> {
  // what else there is are mostly kernels that who only runs models, as the page does, need not have
  const experts = graph.nodes.some(isOfExperts) ? await import("./lower-experts.ts") : undefined;
  const isRun = graph.nodes.every((node) => isOfModels(node, experts));
  const training = isRun ? undefined : await import("./lower-training.ts");
  const lowering = new Lowering(graph, options);
  const decodeRow = decodeFusion(lowering);
  const attentionRow = attentionFusion(lowering);
  const groups = new ElementwiseGroups(lowering, (group) => {
    if (training?.lowerFormedGroup(group, lowering) !== true) lowerGroup(group, lowering);
  });
  lowering.beforeStep = (words) => groups.before(words);
  lowering.beforeRead = (tensor) => groups.beforeReading(tensor);
  const others = ({ op }: Tensor): Lower | undefined =>
    experts?.lowerings.get(op.name) ?? training?.lowerings.get(op.name);
  const elementwise: Lower = (node) => groups.add(node);
  for (const node of orderOf(graph)) {
    if (node.op.result === "leaf") continue;
    const row =
      experts?.expertFusion(node, lowering) ??
      decodeRow(node) ??
      promptFusion(node, lowering) ??
      training?.trainingFusion(node, lowering) ??
      attentionRow(node) ??
      (isElementwise(node) ? elementwise : (lowerings.get(node.op.name) ?? others(node)));
    if (row === undefined) throw noKernel(`the op ${node.op.name}`);
    row(node, lowering);
  }
  groups.flush();
  const lowered = lowering.finish();
  return { ...lowered, steps: withFollowing(lowered.steps) };
}
