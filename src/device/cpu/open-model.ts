// Opens a model: places it, loads and packs the weights into one memory, emits the kernels that are needed, starts the
// threads. What runs afterwards is one command a run (pool.ts). Not here: where things lie (place-model.ts).
import { UsageError } from "../../base/errors.ts";
import type { ExtentValues, Graph } from "../../graph/index.ts";
import { type Kernel, type Machine, emitModule, traceKernel } from "../../lanes/index.ts";
import type { OpenModel, OpenOptions, ParameterStore, Program } from "../executor.ts";
import { STEP_WORDS } from "./control.ts";
import { packKernels } from "./kernels/pack.ts";
import { createMemory, pagesOf } from "./layout.ts";
import { GROUP_ROWS, packedFormat } from "./packed-layouts.ts";
import { type PlacedModel, type PlacedProgram, placeModel } from "./place-model.ts";
import { ComputePool } from "./pool.ts";
import { EncodedProgram, createProgram } from "./program.ts";
import type { Place } from "./step.ts";
import { type PackRequest, loadWeights } from "./weights.ts";

const PACK_PARTS_MOST = 16;

/** Throws as `placeModel`, and MemoryError before anything is allocated when no memory is that large. */
export async function openModel<P extends string>(
  machine: Machine,
  store: ParameterStore,
  graphs: Readonly<Record<P, Graph>>,
  options: OpenOptions = {},
): Promise<OpenModel<P>> {
  const { threads, model, use } = await placeModel(store, graphs, options);
  const memory = createMemory(model.bytes);
  const conductor = new Conductor(model, machine, memory);
  try {
    await loadWeights(store, model.weights, memory, model.staging, (request) => conductor.pack(request), options);
  } catch (error) {
    await conductor.close();
    throw error;
  }
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

  constructor(model: PlacedModel, machine: Machine, memory: WebAssembly.Memory) {
    this.#model = model;
    this.#memory = memory;
    const steps = model.programs.flatMap((program) => program.steps);
    const formats = [...model.weights.values()].map(({ stored }) => packedFormat(stored.format));
    const kernels = [...steps.map(({ kernel }) => kernel), ...formats.map((format) => packKernels[format])];
    this.#kernels = [...new Set(kernels)];
    const traced = this.#kernels.map((kernel) => traceKernel(kernel, machine));
    const module = new WebAssembly.Module(emitModule(traced, pagesOf(memory)));
    const { scratch } = model;
    this.#pool = new ComputePool({ memory, module, kernels: this.#kernels.map(({ name }) => name), scratch });
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

  /** Packs rows that lie in a staging buffer. */
  async pack({ format, source, target, rows, blocks }: PackRequest): Promise<void> {
    const table = this.#model.packStep;
    const record = table + STEP_WORDS * 4;
    const parts = Math.min(Math.ceil(rows / GROUP_ROWS), PACK_PARTS_MOST);
    const step = [this.#kernels.indexOf(packKernels[format]), record, parts, 0];
    new Int32Array(this.#memory.buffer, table, 8).set([...step, source, target, rows, blocks]);
    await this.#pool.run(table, 1);
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
