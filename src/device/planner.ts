// The shared memory planner: gives every value of a program a place in one arena, so that buffers of dead values are
// used again. Sizes are at the extents' bounds, so one plan serves every run; programs of one model share an arena as
// large as the largest plan. Pure arithmetic: knows no executor and no kernel. Greedy by size (Pisarchyk & Lee 2020,
// "Efficient memory management for deep neural net inference"): the largest value first, each at the lowest free gap.
import { ShapeError } from "../base/errors.ts";
import { type Graph, type Tensor, elementsBound } from "../graph/index.ts";

export interface ArenaValue {
  readonly bytes: number;
  /** Program steps, both ends included: the step that writes it, and the last one that reads it. */
  readonly firstStep: number;
  readonly lastStep: number;
}

export interface ArenaPlan {
  /** Bytes from the arena's start, one per value, multiples of the alignment. */
  readonly offsets: readonly number[];
  /** The arena's size. */
  readonly bytes: number;
}

interface Buffer extends ArenaValue {
  offset: number;
}

/**
 * Places values so that no two that live at the same step overlap, at multiples of `alignment` bytes. The arena is
 * never larger than all values side by side. Throws ShapeError when a value lasts less than one step.
 */
export function planArena(values: readonly ArenaValue[], alignment: number): ArenaPlan {
  const buffers = values.map(({ bytes, firstStep, lastStep }, i): Buffer => {
    if (!(firstStep <= lastStep))
      throw new ShapeError(`arena value ${i}`, `${firstStep}..${lastStep}`, "a life of steps");
    return { bytes: Math.ceil(bytes / alignment) * alignment, firstStep, lastStep, offset: 0 };
  });
  const placed: Buffer[] = []; // by offset
  let end = 0;
  for (const buffer of [...buffers].sort((a, b) => b.bytes - a.bytes || a.firstStep - b.firstStep)) {
    for (const other of placed) {
      const apart = other.lastStep < buffer.firstStep || buffer.lastStep < other.firstStep;
      if (apart || other.offset + other.bytes <= buffer.offset) continue;
      if (buffer.offset + buffer.bytes <= other.offset) break; // the gap before `other` is wide enough
      buffer.offset = other.offset + other.bytes;
    }
    const next = placed.findIndex((other) => other.offset > buffer.offset);
    placed.splice(next === -1 ? placed.length : next, 0, buffer);
    end = Math.max(end, buffer.offset + buffer.bytes);
  }
  return { offsets: buffers.map((buffer) => buffer.offset), bytes: end };
}

/** A value that a graph computes and the steps (indices into `graph.nodes`) over which it must be kept. */
export interface LiveRange {
  readonly tensor: Tensor;
  readonly elements: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

/**
 * The life of every fresh value of a graph, one step a node, in order; outputs live to the end. Leaves have a place
 * of their own, and an alias lives where its first input does: its readers keep that one alive.
 */
export function liveRanges({ nodes, outputs }: Pick<Graph, "nodes" | "outputs">): LiveRange[] {
  const place = (tensor: Tensor): Tensor => (tensor.op.result === "alias" ? place(tensor.inputs[0]) : tensor);
  const lastStep = new Map<Tensor, number>();
  for (const [step, node] of nodes.entries()) {
    lastStep.set(place(node), step);
    for (const input of node.inputs) lastStep.set(place(input), step);
  }
  for (const output of Object.values(outputs)) lastStep.set(place(output), nodes.length - 1);
  return [...nodes.entries()]
    .filter(([, node]) => node.op.result === "fresh")
    .map(([step, tensor]) => ({
      tensor,
      elements: elementsBound(tensor.shape),
      firstStep: step,
      lastStep: lastStep.get(tensor) as number,
    }));
}
