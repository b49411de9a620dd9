// Opens a model: places it, loads and packs the weights into one memory, emits the kernels that are needed, starts the
// threads. What runs afterwards is one command a run (pool.ts). Not here: where things lie (place-model.ts).
import { UsageError } from "../../base/errors.ts";
import type { ExtentValues, Graph } from "../../graph/index.ts";
import type { Kernel } from "../../lanes/index.ts";
import type { OpenModel, OpenOptions, ParameterStore, Program } from "../executor.ts";
import type { ModelCode } from "./code.ts";
import { STEP_WORDS } from "./control.ts";
import { packKernels } from "./kernels/pack.ts";
import { ModelMemory } from "./model-memory.ts";
import { GROUP_ROWS, packedFormat } from "./packed-layouts.ts";
import { type PlacedModel, type PlacedProgram, placeModel } from "./place-model.ts";
import { ComputePool } from "./pool.ts";
import { EncodedProgram, createProgram, setWord } from "./program.ts";
import type { Place } from "./step.ts";
import type { Tier } from "./tiers.ts";
import { type PackRequest, loadWeights } from "./weights.ts";

const PACK_PARTS_MOST = 16;

/** Throws as `placeModel`, and MemoryError before anything is allocated when no memory is that large. */
export async function openModel<P extends string>(
  tier: Tier,
  store: ParameterStore,
  graphs: Readonly<Record<P, Graph>>,
  options: OpenOptions = {},
): Promise<OpenModel<P>> {
  const { threads, model, use } = await placeModel(store, graphs, options, tier);
  const memory = new ModelMemory(model, model.machine.word, tier.native);
  const conductor = new Conductor(model, tier, memory);
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
  readonly #memory: ModelMemory;
  readonly #code: ModelCode;
  readonly #kernels: readonly Kernel[];
  readonly #pool: ComputePool;
  #closed = false;
  #running = false;

  constructor(model: PlacedModel, tier: Tier, memory: ModelMemory) {
    this.#model = model;
    this.#memory = memory;
    const steps = model.programs.flatMap((program) => program.steps);
    const formats = [...model.weights.values()].map(({ stored }) => packedFormat(stored.format));
    const kernels = [...steps.map(({ kernel }) => kernel), ...formats.map((format) => packKernels[format])];
    this.#kernels = [...new Set(kernels)];
    this.#code = tier.compile(this.#kernels, model.machine, memory.shared);
    this.#pool = new ComputePool({
      memory: memory.shared,
      code: this.#code.threadCode,
      base: memory.base,
      kernels: this.#kernels.map(({ name }) => name),
      scratch: model.scratch,
    });
  }

  program(index: number): Program {
    const program = this.#model.programs[index];
    const { graph, addresses } = program;
    const encoded = new EncodedProgram(
      program,
      addresses,
      new Int32Array(this.#memory.shared.buffer),
      this.#model.machine.word,
      (place) => this.#addressOf(place, program),
      (kernel) => this.#kernels.indexOf(kernel),
    );
    return createProgram(graph, addresses, this.#memory.shared, (extents, signal) =>
      this.#run(encoded, extents, signal),
    );
  }

  /** Packs rows that lie in a staging buffer. */
  async pack({ format, source, target, rows, blocks }: PackRequest): Promise<void> {
    const table = this.#model.packStep;
    const record = table + STEP_WORDS * 4;
    const parts = Math.min(Math.ceil(rows / GROUP_ROWS), PACK_PARTS_MOST);
    const words = new Int32Array(this.#memory.shared.buffer);
    words.set([this.#kernels.indexOf(packKernels[format]), record, parts, 0], table / 4);
    const { base, weightBase } = this.#memory;
    const wordBytes = this.#model.machine.word / 8;
    for (const [i, value] of [base + source, weightBase + target, rows, blocks].entries()) {
      setWord(words, wordBytes, record + i * wordBytes, value);
    }
    await this.#pool.run(table, 1);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pool.close();
    this.#code.release();
    this.#memory.release();
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
    const { base, weightBase } = this.#memory;
    if (place.kind === "arena") return base + arena + plan.offsets[place.index];
    const found = {
      state: () => base + states.get(place.name)!,
      input: () => base + addresses.inputs.get(place.name)!,
      output: () => base + addresses.outputs.get(place.name)!,
      packed: () => weightBase + weights.get(place.name)!.packed!,
      plain: () => weightBase + weights.get(place.name)!.plain!,
    };
    return found[place.kind](); // everything a step names was placed
  }
}
