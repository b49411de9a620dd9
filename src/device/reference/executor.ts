// The reference executor: every op by plain loops with f64 values and sums. Slow and obviously right; what the others
// are compared with. Only weights and states are rounded, to the type they are stored in. One thread, and no arena:
// values are dropped after their last reader.
import { sum } from "../../base/collections.ts";
import { UnsupportedError } from "../../base/errors.ts";
import { type Graph, type Tensor, elementsBound } from "../../graph/index.ts";
import type {
  Executor,
  MemoryUse,
  OpenModel,
  OpenOptions,
  ParameterStore,
  Program,
  StoredParameter,
} from "../executor.ts";
import { type Leaves, collectLeaves, matrixShape, stateBytes, weightBytesPerToken } from "../leaves.ts";
import { liveRanges, planArena } from "../planner.ts";
import { type Shared, createProgram } from "./program.ts";
import { F32State, RoundedState, type Rows, type StateRows, WeightRows } from "./rows.ts";
import { evaluations } from "./table.ts";

const F64_BYTES = 8;

export const referenceExecutor: Executor = {
  name: "reference",
  tier: "f64",
  plan: async (store, graphs) => memoryUse(collectLeaves(store, Object.values(graphs)), graphs),
  open: (store, graphs, options) => openReference(store, graphs, options, (stored) => wholeWeight(store, stored)),
};

export async function wholeWeight(store: ParameterStore, stored: StoredParameter): Promise<Rows> {
  const bytes = new Uint8Array(stored.byteLength);
  await store.readRows(stored.name, 0, bytes);
  return new WeightRows(stored, bytes);
}

function memoryUse({ parameters, states }: Leaves, graphs: Readonly<Record<string, Graph>>): MemoryUse {
  const list = Object.values(graphs);
  const leavesOf = ({ inputs, outputs }: Graph): Tensor[] => [...inputs.values(), ...Object.values(outputs)];
  return {
    weightBytes: sum([...parameters.values()].map((stored) => stored.byteLength)),
    stateBytes: sum([...states.values()].map(stateBytes)),
    arenaBytes: Math.max(0, ...list.map(liveBytes)),
    runtimeBytes: sum(list.flatMap(leavesOf).map(({ shape }) => elementsBound(shape) * 4)),
    headroomBytes: Infinity,
    bytesPerToken: Object.fromEntries(
      Object.entries(graphs).map(([name, graph]) => [name, weightBytesPerToken(graph, parameters)]),
    ),
  };
}

/** `openWeight`: what programs read of a weight. */
export async function openReference<P extends string>(
  store: ParameterStore,
  graphs: Readonly<Record<P, Graph>>,
  { onProgress, signal }: OpenOptions = {},
  openWeight: (stored: StoredParameter) => Promise<Rows>,
): Promise<OpenModel<P>> {
  const list = Object.values<Graph>(graphs);
  for (const { op } of list.flatMap((graph) => graph.nodes)) {
    if (op.result !== "leaf" && !evaluations.has(op.name)) {
      throw new UnsupportedError(`The reference executor has no evaluation of the op ${op.name}.`);
    }
  }
  const leaves = collectLeaves(store, list);
  const shared: Shared = { weights: new Map(), states: new Map(), closed: false, running: false };
  for (const [name, tensor] of leaves.states) shared.states.set(name, zeroState(tensor));
  const memory = memoryUse(leaves, graphs);
  let done = 0;
  for (const [name, stored] of leaves.parameters) {
    signal?.throwIfAborted();
    shared.weights.set(name, await openWeight(stored));
    done += stored.byteLength;
    onProgress?.({ label: "load", done, total: memory.weightBytes, unit: "bytes" });
  }

  const programs = Object.entries<Graph>(graphs).map(([name, graph]) => [name, createProgram(graph, shared)]);
  const close = async (): Promise<void> => {
    shared.closed = true;
    shared.weights.clear();
    shared.states.clear();
  };
  return {
    programs: Object.fromEntries(programs) as Record<P, Program>,
    states: Object.fromEntries(
      [...shared.states].flatMap(([name, state]) => (state instanceof F32State ? [[name, state.values]] : [])),
    ),
    copyRows: (state, _heads, from, to, count) => shared.states.get(state)!.copy(from, to, count),
    memory,
    threads: 1,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function zeroState({ shape, type }: Tensor): StateRows {
  const [rows, columns] = matrixShape(shape);
  return type === "f32" || type === "i32" ? new F32State(rows, columns) : new RoundedState(type, rows, columns);
}

/** What the values alive at once take, at the extents' bounds. */
function liveBytes(graph: Graph): number {
  const values = liveRanges(graph).map((value) => ({ ...value, bytes: value.elements * F64_BYTES }));
  return planArena(values, F64_BYTES).bytes;
}
