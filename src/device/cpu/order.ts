// The order in which a graph's values are computed: as they were traced, but that a state takes what is assigned to it as
// soon as this is there. Gradients are so added up where they arise, and none waits for the end of the program.
import type { Graph, Tensor } from "../../graph/index.ts";
import { isAssign, isElementwise } from "./elementwise-groups.ts";

export function orderOf({ nodes, outputs }: Graph): readonly Tensor[] {
  const readers = new Map<Tensor, Tensor[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const input of new Set(node.inputs)) readers.get(input)?.push(node);
  const isOutput = new Set(Object.values(outputs));
  /** Assignments, and what only they read. */
  const early = new Set<Tensor>();
  for (const node of nodes.toReversed()) {
    const all = readers.get(node) as Tensor[];
    const isOnlyAssigned = all.length > 0 && all.every((reader) => early.has(reader)) && !isOutput.has(node);
    if (isAssign(node) || (isElementwise(node) && isOnlyAssigned)) early.add(node);
  }
  /** What a value waits for: its inputs and, where it overwrites one, who else reads that. */
  const waits = new Map<Tensor, number>();
  const releases = new Map<Tensor, Tensor[]>(nodes.map((node) => [node, []]));
  for (const node of early) {
    const others = node.op.result === "alias" ? (readers.get(node.inputs[0]) as Tensor[]) : [];
    const needs = new Set([...node.inputs, ...others.filter((other) => other !== node)]);
    waits.set(node, needs.size);
    for (const need of needs) releases.get(need)?.push(node);
  }
  const ordered = new Set<Tensor>();
  const place = (node: Tensor): void => {
    if (ordered.has(node)) return;
    ordered.add(node);
    for (const next of releases.get(node) as Tensor[]) {
      const left = (waits.get(next) as number) - 1;
      waits.set(next, left);
      if (left === 0) place(next);
    }
  };
  // what waits for nothing but leaves is not hurried: it would only take room
  const isHurried = (node: Tensor): boolean => node.inputs.some((input) => input.op.result === "fresh");
  for (const node of nodes) {
    if (early.has(node) && !isHurried(node) && node.op.result === "fresh") waits.set(node, Infinity);
  }
  for (const node of nodes) place(node);
  return [...ordered];
}
