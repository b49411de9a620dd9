// Lowers a model's graphs and gives everything an address in one memory: what a model takes is known before anything is
// allocated or read. Not here: filling the memory (open-model.ts).
import { UsageError } from "../../base/errors.ts";
import { type Graph, elementsBound } from "../../graph/index.ts";
import { machineFacts } from "#platform";
import type { MemoryUse, OpenOptions, ParameterStore } from "../executor.ts";
import { type Leaves, collectLeaves } from "../leaves.ts";
import { type ArenaPlan, planArena } from "../planner.ts";
import { ALIGNMENT, Layout, align, MEMORY_BYTES_MAX, SCRATCH_BYTES } from "./layout.ts";
import { type LoweredGraph, lower } from "./lower.ts";
import { type ProgramAddresses, placeProgram } from "./program.ts";
import { type PlacedWeight, placeWeights, stagingBytes } from "./weights.ts";

// Measured as growth of resident memory on Node 26, x64; test/models/memory.test.ts holds the sum to what is measured.
/** A thread's isolate with the kernels compiled in it: 19 MiB at rest, 24 after it has run them. */
const THREAD_BYTES = 24 << 20;
/** The caller's heap and code while it loads and runs a model of some size; a tiny one takes 8 MiB. */
const CONDUCTOR_BYTES = 32 << 20;

export interface PlacedProgram extends LoweredGraph {
  readonly addresses: ProgramAddresses;
  readonly plan: ArenaPlan;
}

/** Where a model's things lie. */
export interface PlacedModel {
  readonly bytes: number;
  readonly scratch: readonly number[];
  readonly programs: readonly PlacedProgram[];
  readonly states: ReadonlyMap<string, number>;
  readonly stateBytes: number;
  readonly arena: number;
  readonly arenaBytes: number;
  readonly weights: ReadonlyMap<string, PlacedWeight>;
  readonly weightBytes: number;
  /** Two buffers for weights that are being read, and a step table and record for packing them. */
  readonly staging: readonly [number, number];
  readonly packStep: number;
}

/** A step of the table, and the words of a packing kernel's record. */
const PACK_STEP_BYTES = 64;

/** Throws UsageError for the number of threads, UnsupportedError for an op without kernels. */
export async function placeModel(
  store: Pick<ParameterStore, "parameters">,
  graphs: Readonly<Record<string, Graph>>,
  { threads: asked, precision = "fast" }: OpenOptions = {},
): Promise<{ readonly threads: number; readonly model: PlacedModel; readonly use: MemoryUse }> {
  const threads = asked ?? (await machineFacts()).cores;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError(`The number of threads is ${threads}, expected 1 or more.`, { field: "threads" });
  }
  const leaves = collectLeaves(store, Object.values(graphs));
  const { parameters } = leaves;
  const lowered = Object.values(graphs).map((graph) => lower(graph, { parameters, precision }));
  const model = placeAll(leaves, lowered, threads);
  const { bytes, weightBytes, stateBytes, arenaBytes } = model;
  const use = {
    weightBytes,
    stateBytes,
    arenaBytes,
    runtimeBytes: bytes - weightBytes - stateBytes - arenaBytes + threads * THREAD_BYTES + CONDUCTOR_BYTES,
    headroomBytes: MEMORY_BYTES_MAX - bytes,
    bytesPerToken: Object.fromEntries(Object.keys(graphs).map((name, i) => [name, lowered[i].bytesPerToken])),
  };
  return { threads, model, use };
}

/** One memory: scratch, programs, states, one arena for all programs, weights. */
function placeAll(leaves: Leaves, lowered: readonly LoweredGraph[], threads: number): PlacedModel {
  const layout = new Layout();
  const scratch = Array.from({ length: threads }, () => layout.reserve(SCRATCH_BYTES));
  const programs = lowered.map((program) => ({
    ...program,
    addresses: placeProgram(program, layout),
    plan: planArena(program.arena, ALIGNMENT),
  }));
  const stateStart = layout.bytes;
  const states = new Map<string, number>();
  for (const [name, { shape, type }] of leaves.states) {
    states.set(name, layout.reserve(elementsBound(shape) * (type === "f16" ? 2 : 4)));
  }
  const stateBytes = layout.bytes - stateStart;
  const arenaBytes = Math.max(0, ...programs.map(({ plan }) => plan.bytes));
  // weights are read into buffers where the arena will be
  const buffer = align(stagingBytes(leaves.parameters.values()));
  const arena = layout.reserve(Math.max(arenaBytes, 2 * buffer));
  const staging = [arena, arena + buffer] as const;
  const packStep = layout.reserve(PACK_STEP_BYTES);
  const weightStart = layout.bytes;
  const packed = union(lowered.map((program) => program.packed));
  const plain = union(lowered.map((program) => program.plain));
  const weights = placeWeights(leaves.parameters, packed, plain, layout);
  const weightBytes = layout.bytes - weightStart;
  return {
    bytes: layout.bytes,
    scratch,
    programs,
    states,
    stateBytes,
    arena,
    arenaBytes,
    weights,
    weightBytes,
    staging,
    packStep,
  };
}

const union = (sets: readonly ReadonlySet<string>[]): Set<string> => new Set(sets.flatMap((set) => [...set]));
