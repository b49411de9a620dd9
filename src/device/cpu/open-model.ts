// Opens a model: places it, loads and packs the weights into one memory, emits the kernels that are needed, starts the
// threads. What runs afterwards is one command a run (pool.ts). Not here: where things lie (place-model.ts).
import { UsageError } from "../../base/errors.ts";
import type { ExtentValues, Graph } from "../../graph/index.ts";
import { type Kernel, type Machine, emitModule, traceKernel } from "../../lanes/index.ts";
import type { OpenModel, OpenOptions, ParameterStore, Program } from "../executor.ts";
import { createMemory, pagesOf } from "./layout.ts";
import { type PlacedModel, type PlacedProgram, placeModel } from "./place-model.ts";
import { ComputePool } from "./pool.ts";
import { EncodedProgram, createProgram } from "./program.ts";
import type { Place } from "./step.ts";
import { loadWeights } from "./weights.ts";

/** Throws as `placeModel`, and MemoryError before anything is allocated when no memory is that large. */
export async function openModel<P extends string>(
  machine: Machine,
  store: ParameterStore,
  graphs: Readonly<Record<P, Graph>>,
  options: OpenOptions = {},
): Promise<OpenModel<P>> {
  const { threads, model, use } = await placeModel(store, graphs, options);
  const memory = createMemory(model.bytes);
  await loadWeights(store, model.weights, memory, options);

  const kernels = [...new Set(model.programs.flatMap(({ steps }) => steps.map(({ kernel }) => kernel)))];
  const conductor = new Conductor(model, machine, memory, kernels);
  const names = Object.keys(graphs) as P[]; // in the order of the placed programs
  return {
    programs: Object.fromEntries(names.map((name, i) => [name, conductor.program(i)])) as Record<P, Program>,
    memory: use,
    threads,
    close: () => conductor.close(),
    [Symbol.asyncDispose]: () => conductor.close(),
  };
}

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
