// Opens a model: lowers its graphs, gives everything an address in one memory, loads and packs the weights, emits the
// kernels that are needed, starts the threads. What runs afterwards is one command a run (pool.ts).
import { UsageError } from "../../base/errors.ts";
import { type ExtentValues, type Graph, elementsBound } from "../../graph/index.ts";
import { type Kernel, type Machine, emitModule, traceKernel } from "../../lanes/index.ts";
import { machineFacts } from "#platform";
import type { OpenModel, OpenOptions, ParameterStore, Program } from "../executor.ts";
import { type Leaves, collectLeaves, weightBytesPerToken } from "../leaves.ts";
import { type ArenaPlan, planArena } from "../planner.ts";
import { ALIGNMENT, Layout, SCRATCH_BYTES, createMemory, pagesOf } from "./layout.ts";
import { type LoweredGraph, lower } from "./lower.ts";
import { ComputePool } from "./pool.ts";
import { EncodedProgram, type ProgramAddresses, createProgram, placeProgram } from "./program.ts";
import type { Place } from "./step.ts";
import { type PlacedWeight, loadWeights, placeWeights } from "./weights.ts";

interface PlacedProgram extends LoweredGraph {
  readonly addresses: ProgramAddresses;
  readonly plan: ArenaPlan;
}

/** Where a model's things lie. */
interface PlacedModel {
  readonly bytes: number;
  readonly scratch: readonly number[];
  readonly programs: readonly PlacedProgram[];
  readonly states: ReadonlyMap<string, number>;
  readonly stateBytes: number;
  readonly arena: number;
  readonly arenaBytes: number;
  readonly weights: ReadonlyMap<string, PlacedWeight>;
  readonly weightBytes: number;
}

/** Throws MemoryError before anything is allocated when it does not fit, UnsupportedError for an op without kernels. */
export async function openModel<P extends string>(
  machine: Machine,
  store: ParameterStore,
  graphs: Readonly<Record<P, Graph>>,
  options: OpenOptions = {},
): Promise<OpenModel<P>> {
  const threads = options.threads ?? (await machineFacts()).cores;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError(`The number of threads is ${threads}, expected 1 or more.`, { field: "threads" });
  }
  const names = Object.keys(graphs) as P[];
  const leaves = collectLeaves(store, Object.values<Graph>(graphs));
  const { precision = "fast" } = options;
  const lowered = names.map((name) => lower(graphs[name], { parameters: leaves.parameters, precision }));
  const model = placeModel(leaves, lowered, threads);
  const memory = createMemory(model.bytes);
  await loadWeights(store, model.weights, memory, options);

  const kernels = [...new Set(lowered.flatMap(({ steps }) => steps.map(({ kernel }) => kernel)))];
  const conductor = new Conductor(model, machine, memory, kernels);
  const perProgram = <T>(make: (index: number) => T): Record<P, T> =>
    Object.fromEntries(names.map((name, i) => [name, make(i)])) as Record<P, T>;
  const { weightBytes, stateBytes, arenaBytes } = model;
  return {
    programs: perProgram((i) => conductor.program(i)),
    memory: {
      weightBytes,
      stateBytes,
      arenaBytes,
      bytesPerToken: perProgram((i) => weightBytesPerToken(lowered[i].graph, leaves.parameters)),
    },
    threads,
    close: () => conductor.close(),
    [Symbol.asyncDispose]: () => conductor.close(),
  };
}

/** One memory: scratch, programs, states, one arena for all programs, weights. */
function placeModel(leaves: Leaves, lowered: readonly LoweredGraph[], threads: number): PlacedModel {
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
  const arena = layout.reserve(arenaBytes);
  const weightStart = layout.bytes;
  const packed = union(lowered.map((program) => program.packed));
  const plain = union(lowered.map((program) => program.plain));
  const weights = placeWeights(leaves.parameters, packed, plain, layout);
  const weightBytes = layout.bytes - weightStart;
  return { bytes: layout.bytes, scratch, programs, states, stateBytes, arena, arenaBytes, weights, weightBytes };
}

const union = (sets: readonly ReadonlySet<string>[]): Set<string> => new Set(sets.flatMap((set) => [...set]));

/** The caller's side of a placed model: its programs, one running at a time. */
class Conductor {
  readonly #model: PlacedModel;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: readonly Kernel[];
  readonly #pool: ComputePool;
  #closed = false;
  #running = false;

  constructor(model: PlacedModel, machine: Machine, memory: WebAssembly.Memory, kernels: readonly Kernel[]) {
    this.#model = model;
    this.#memory = memory;
    this.#kernels = kernels;
    const traced = kernels.map((kernel) => traceKernel(kernel, machine));
    const module = new WebAssembly.Module(emitModule(traced, pagesOf(memory)));
    const { scratch } = model;
    this.#pool = new ComputePool({ memory, module, kernels: kernels.map(({ name }) => name), scratch });
  }

  program(index: number): Program {
    const program = this.#model.programs[index];
    const { graph, addresses } = program;
    const encoded = new EncodedProgram(
      program,
      addresses,
      new Int32Array(this.#memory.buffer),
      (place) => this.#addressOf(place, program),
      (kernel) => this.#kernels.indexOf(kernel),
    );
    return createProgram(graph, addresses, this.#memory, (extents, signal) => this.#run(encoded, extents, signal));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pool.close();
  }

  async #run(program: EncodedProgram, extents: ExtentValues, signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed) throw new UsageError("The model is closed.");
    if (this.#running) throw new UsageError("A program of this model is running. Await it first.");
    this.#running = true;
    try {
      program.bind(extents);
      await this.#pool.run(program.table, program.stepCount, signal);
    } finally {
      this.#running = false;
    }
  }

  #addressOf(place: Place, { addresses, plan }: PlacedProgram): number {
    const { arena, states, weights } = this.#model;
    if (place.kind === "arena") return arena + plan.offsets[place.index];
    const found = {
      state: () => states.get(place.name),
      input: () => addresses.inputs.get(place.name),
      output: () => addresses.outputs.get(place.name),
      packed: () => weights.get(place.name)?.packed,
      plain: () => weights.get(place.name)?.plain,
    };
    return found[place.kind]() as number; // everything a step names was placed
  }
}
