// Lowers a model's graphs and gives everything an address in one memory: what a model takes is known before anything is
// allocated or read. Not here: filling the memory (open-model.ts).
import { UsageError } from "../../base/errors.ts";
import { type ElementType, type Graph, elementsBound } from "../../graph/index.ts";
import type { Machine } from "../../lanes/index.ts";
import { machineFacts, native } from "#platform";
import type { MemoryUse, OpenOptions, ParameterStore } from "../executor.ts";
import { type Leaves, collectLeaves, matrixShape, stateBytes } from "../leaves.ts";
import { type ArenaPlan, planArena } from "../planner.ts";
import { type Check, type Range, guardBytes } from "./check.ts";
import { CONTROL_ADDRESS, CONTROL_BYTES } from "./control.ts";
import { ALIGNMENT, Layout, THREAD_SCRATCH_BYTES, align } from "./layout.ts";
import { type LoweredGraph, lower } from "./lower.ts";
import { sharedBytes, sharedBytesMax } from "./model-memory.ts";
import { type ProgramAddresses, placeProgram } from "./program.ts";
import type { Tier } from "./tiers.ts";
import { windowBytes } from "./weight-targets.ts";
import { type WeightImage, chunkBytes, placeWeights } from "./weights.ts";

// Measured as growth of resident memory on Node 26, x64; test/models/memory.test.ts holds the sum to what is measured.
/** A thread's isolate after it has run kernels: machine code needs none of V8's, WebAssembly's 24 MiB. */
const THREAD_BYTES = { native: 18 << 20, wasm: 24 << 20 } as const;
/** Of mapped weights that are read by row: 64 KiB around each of the tokens that a conversation has. */
const BY_ROW_BYTES = 16 << 20;
/** The caller's heap and code while it loads and runs a model of some size; a tiny one takes 8 MiB. */
const CONDUCTOR_BYTES = 32 << 20;

export interface PlacedProgram extends LoweredGraph {
  readonly addresses: ProgramAddresses;
  readonly plan: ArenaPlan;
}

export interface PlacedState {
  readonly offset: number;
  readonly elements: number;
  readonly rows: number;
  readonly rowBytes: number;
  readonly type: ElementType;
}

/** Where a model's things lie: offsets in the shared memory, and those of the weights among the weights. */
export interface PlacedModel {
  /** The machine for which kernels are built. */
  readonly machine: Machine;
  /** Of the shared memory, the weights not counted. */
  readonly bytes: number;
  readonly scratch: readonly number[];
  readonly programs: readonly PlacedProgram[];
  readonly states: ReadonlyMap<string, PlacedState>;
  readonly stateBytes: number;
  readonly arena: number;
  readonly arenaBytes: number;
  readonly image: WeightImage;
  /** In the checking mode. */
  readonly check?: Check;
  /** For weights that are being packed: two buffers that they are read into and two that they are made in, with their
   * bytes, and a step table and record. */
  readonly staging: BufferPair;
  readonly windows: BufferPair;
  readonly packStep: number;
}

export interface BufferPair {
  readonly offsets: readonly [number, number];
  readonly bytes: number;
}

/** A step of the table, and the words of a packing kernel's record. */
const PACK_STEP_BYTES = 128;

export interface Placement {
  readonly threads: number;
  readonly model: PlacedModel;
  readonly use: MemoryUse;
}

/** The last placement of graphs, with what it was made for: what is planned is mostly opened then. */
const placements = new WeakMap<object, { readonly made: readonly unknown[]; readonly placement: Placement }>();

/** Throws UsageError for the number of threads, UnsupportedError for an op without kernels. */
export async function placeModel(
  store: Pick<ParameterStore, "parameters">,
  graphs: Readonly<Record<string, Graph>>,
  { threads: asked, precision = "fast", packs }: OpenOptions,
  tier: Tier,
): Promise<Placement> {
  const threads = asked ?? (await machineFacts()).cores;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError(`The number of threads is ${threads}, expected 1 or more.`, { field: "threads" });
  }
  // what is kept is mapped, and pages that nobody touches stay out
  const mappedLeast = packs === undefined || "reason" in native() ? Infinity : packs.bytesLeast;
  const made = [store.parameters, threads, precision, mappedLeast, tier.name, guardBytes()];
  const last = placements.get(graphs);
  if (last !== undefined && made.every((value, i) => value === last.made[i])) return last.placement;
  const placement = await place(store, graphs, { threads, precision, mappedLeast }, tier);
  placements.set(graphs, { made, placement });
  return placement;
}

async function place(
  store: Pick<ParameterStore, "parameters">,
  graphs: Readonly<Record<string, Graph>>,
  { threads, precision, mappedLeast }: { threads: number; precision: "f32" | "fast"; mappedLeast: number },
  { machine, wide, native: calls }: Tier,
): Promise<Placement> {
  const leaves = collectLeaves(store, Object.values(graphs));
  const { parameters } = leaves;
  const lowered = await Promise.all(
    Object.values(graphs).map((graph) => lower(graph, { parameters, precision, machine, threads })),
  );
  let model = placeAll(leaves, lowered, threads, machine);
  if (wide !== undefined && sharedBytes(model, calls) > sharedBytesMax(machine.word)) {
    model = placeAll(leaves, lowered, threads, wide);
  }
  const { bytes, image, stateBytes, arenaBytes } = model;
  const threadBytes = THREAD_BYTES[calls === undefined ? "wasm" : "native"];
  const use = {
    weightBytes: image.bytes < mappedLeast ? image.bytes : Math.min(image.bytes, image.streamedBytes + BY_ROW_BYTES),
    stateBytes,
    arenaBytes,
    runtimeBytes: bytes - stateBytes - arenaBytes + threads * threadBytes + CONDUCTOR_BYTES,
    headroomBytes: sharedBytesMax((wide ?? machine).word) - sharedBytes(model, calls),
    bytesPerToken: Object.fromEntries(Object.keys(graphs).map((name, i) => [name, lowered[i].bytesPerToken])),
  };
  return { threads, model, use };
}

/** Scratch, programs, states, one arena for all programs; the weights. */
function placeAll(leaves: Leaves, lowered: readonly LoweredGraph[], threads: number, machine: Machine): PlacedModel {
  const guard = guardBytes();
  const layout = new Layout(CONTROL_ADDRESS + CONTROL_BYTES, guard);
  const scratch = Array.from({ length: threads }, () => layout.reserve(THREAD_SCRATCH_BYTES));
  const programs = lowered.map((program) => ({
    ...program,
    addresses: placeProgram(program, layout, machine.word),
    plan: guard === 0 ? planArena(program.arena, ALIGNMENT) : planApart(program, layout),
  }));
  const packStep = layout.reserve(PACK_STEP_BYTES); // before what may be large: tables and records lie in the first 4 GB
  const stateStart = layout.bytes;
  const states = new Map<string, PlacedState>();
  for (const [name, state] of leaves.states) {
    const [bytes, elements] = [stateBytes(state), elementsBound(state.shape)];
    const [rows] = matrixShape(state.shape);
    states.set(name, { offset: layout.reserve(bytes), elements, rows, rowBytes: bytes / rows, type: state.type });
  }
  const bytesOfStates = layout.bytes - stateStart;
  const arenaBytes = Math.max(0, ...programs.map(({ plan }) => plan.bytes));
  const image = placeWeights(
    leaves.parameters,
    {
      packed: union(lowered.map((program) => program.packed)),
      plain: union(lowered.map((program) => program.plain)),
      whole: union(lowered.map((program) => program.whole)),
    },
    guard,
  );
  // weights are packed in buffers where the arena will be
  const chunk = chunkBytes(image.forms);
  const [readBytes, madeBytes] = [align(chunk.read), windowBytes(align(chunk.made))];
  const shared = layout.reserve(Math.max(guard === 0 ? arenaBytes : 0, 2 * (readBytes + madeBytes)));
  const windows = shared + 2 * readBytes;
  return {
    machine,
    bytes: layout.bytes,
    scratch,
    programs,
    states,
    stateBytes: bytesOfStates,
    arena: guard === 0 ? shared : 0,
    arenaBytes,
    ...(guard > 0 && { check: { guards: layout.guards, poisoned: poisoned(programs, scratch) } }),
    image,
    staging: { offsets: [shared, shared + readBytes], bytes: readBytes },
    windows: { offsets: [windows, windows + madeBytes], bytes: madeBytes },
    packStep,
  };
}

/** Every value at a place of its own between guards; offsets count from the memory's start. */
function planApart({ arena }: LoweredGraph, layout: Layout): ArenaPlan {
  const start = layout.bytes;
  return { offsets: arena.map(({ bytes }) => layout.reserve(bytes)), bytes: layout.bytes - start };
}

/** What kernels may not rely on before they write it. */
const poisoned = (programs: readonly PlacedProgram[], scratch: readonly number[]): Range[] => [
  ...scratch.map((offset) => ({ offset, bytes: THREAD_SCRATCH_BYTES })),
  ...programs.flatMap(({ arena, plan }) => arena.map(({ bytes }, i) => ({ offset: plan.offsets[i], bytes }))),
];

const union = (sets: readonly ReadonlySet<string>[]): Set<string> => new Set(sets.flatMap((set) => [...set]));
