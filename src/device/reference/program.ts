// One graph as the reference runs it: the nodes in order, every value whole, dropped after its last reader.
import { KernelError, UsageError } from "../../base/errors.ts";
import {
  type ExtentValues,
  type Graph,
  type Tensor,
  elementsBound,
  isInput,
  isParameter,
  isState,
  isTable,
  leafName,
  sizeAt,
  tableValues,
} from "../../graph/index.ts";
import type { InputArray, Program } from "../executor.ts";
import { checkExtents } from "../leaves.ts";
import { liveRanges } from "../planner.ts";
import type { ResultSize } from "./evaluation.ts";
import { createPacer } from "./pacer.ts";
import { Matrix, type Rows, type StateRows } from "./rows.ts";
import { evaluations } from "./table.ts";

/** What the programs of one open model share. */
export interface Shared {
  readonly weights: Map<string, Rows>;
  readonly states: Map<string, StateRows>;
  closed: boolean;
  running: boolean;
}

export function createProgram(graph: Graph, shared: Shared): Program {
  const inputs = mapValues(graph.inputs, ({ shape, type }): InputArray => {
    return new (type === "i32" ? Int32Array : Float32Array)(elementsBound(shape));
  });
  const outputs = mapValues(Object.entries(graph.outputs), ({ shape }) => new Float32Array(elementsBound(shape)));
  const dyingAt = Map.groupBy(liveRanges(graph), ({ lastStep }) => lastStep);

  function leafRows(leaf: Tensor, { rows, columns }: ResultSize): Rows | undefined {
    const name = leafName(leaf);
    if (isParameter(leaf)) return shared.weights.get(name);
    if (isState(leaf)) return shared.states.get(name);
    if (isTable(leaf)) return new Matrix<Float32Array | Int32Array>(tableValues(leaf), rows, columns);
    if (!isInput(leaf)) return undefined;
    return new Matrix(inputs[name].subarray(0, rows * columns), rows, columns);
  }

  async function evaluateAll(extents: ExtentValues, signal: AbortSignal | undefined): Promise<void> {
    const pacer = createPacer(signal);
    const values = new Map<Tensor, Rows>();
    const valueOf = (tensor: Tensor): Rows => values.get(tensor) as Rows; // nodes come after their inputs
    for (const [step, node] of graph.nodes.entries()) {
      if (pacer.due()) await pacer.giveWay();
      try {
        const [rows, columns] = [1, ...node.shape].slice(-2).map((size) => sizeAt(size, extents));
        const [row, size] = [evaluations.get(node.op.name), { rows, columns }];
        const value = await (row?.evaluate(node.inputs.map(valueOf), node.attributes, pacer, size) ??
          leafRows(node, size));
        values.set(node, value as Rows);
      } catch (error) {
        if (signal?.aborted) throw error;
        throw new KernelError(`${node.op.name}: ${String(error)}`, step, 0, { cause: error });
      }
      if (step === graph.nodes.length - 1) break; // what is left are the outputs
      for (const { tensor } of dyingAt.get(step) ?? []) values.delete(tensor);
    }
    for (const [name, tensor] of Object.entries(graph.outputs)) copyRows(valueOf(tensor), outputs[name]);
  }

  return {
    inputs,
    outputs,
    async run(extents, signal) {
      if (shared.closed) throw new UsageError("The model is closed.");
      if (shared.running) throw new UsageError("A program of this model is running. Await it first.");
      checkExtents(graph, extents);
      signal?.throwIfAborted();
      shared.running = true;
      try {
        await evaluateAll(extents, signal);
      } finally {
        shared.running = false;
      }
    },
  };
}

function mapValues<T, U>(entries: Iterable<readonly [string, T]>, make: (value: T) => U): Record<string, U> {
  return Object.fromEntries([...entries].map(([name, value]) => [name, make(value)]));
}

function copyRows(from: Rows, into: Float32Array): void {
  for (let i = 0; i < from.rows; i++) into.set(from.row(i), i * from.columns);
}
