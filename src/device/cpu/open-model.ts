// Opens a model: places it, loads and packs the weights into one memory, emits the kernels that are needed, starts the
// threads. What runs afterwards is one command a run (pool.ts). Not here: where things lie (place-model.ts).
import { UnsupportedError, UsageError } from "../../base/errors.ts";
import type { ExtentValues, Graph } from "../../graph/index.ts";
import type { Kernel } from "../../lanes/index.ts";
import { native, sharesMemory } from "#platform";
import type { OpenModel, OpenOptions, ParameterStore, Program } from "../executor.ts";
import type { ModelCode } from "./code.ts";
import { STEP_WORDS } from "./control.ts";
import { packKernels } from "./kernels/pack.ts";
import { ModelMemory } from "./model-memory.ts";
import { GROUP_ROWS, packedFormat } from "./packed-layouts.ts";
import { OwnThread } from "./own-thread.ts";
import { type BufferPair, type PlacedModel, type PlacedProgram, placeModel } from "./place-model.ts";
import { ComputePool } from "./pool.ts";
import { EncodedProgram, createProgram, setWord } from "./program.ts";
import type { Place as StepPlace } from "./step.ts";
import type { Tier } from "./tiers.ts";
import type { Place } from "./weight-targets.ts";
import { type Packer, type OpenedWeights, describeImage, openFound, openStored } from "./open-weights.ts";
import type { PackRequest } from "./weights.ts";

const PACK_PARTS_MOST = 16;

/**
 * Throws as `placeModel`, and MemoryError before anything is allocated when no memory is that large. `ownThread`: programs
 * run on the caller's thread, as they must where threads cannot share memory.
 */
export async function openModel<P extends string>(
  tier: Tier,
  store: ParameterStore,
  graphs: Readonly<Record<P, Graph>>,
  options: OpenOptions = {},
  ownThread = !sharesMemory(),
): Promise<OpenModel<P>> {
  const host = native();
  if (options.pin === true && "reason" in host) {
    throw new UnsupportedError("Threads cannot be kept on cores here.", { hint: host.reason });
  }
  const { threads, model, use } = await placeModel(store, graphs, options, tier);
  if (threads > 1 && ownThread) {
    const hint = "Ask for one, or serve the page with the headers that isolate it (docs/browser.md).";
    throw new UnsupportedError(`Programs run on the caller's thread here, which is one, not ${threads}.`, { hint });
  }
  const memory = new ModelMemory(model, model.machine.word, tier.native);
  const packs = model.check === undefined ? options.packs : undefined; // kept files have no guards in them
  const description = await describeImage(store, model.image, packs);
  const find = async () => (description === undefined ? undefined : await packs?.find(description));
  const kept = await find();
  const { pin = false, codes } = options;
  const conductor = new Conductor(model, tier, memory, { packs: kept === undefined, pin, codes, ownThread });
  const names = Object.keys(graphs) as P[]; // in the order of the placed programs
  let weights: OpenedWeights | undefined;
  let programs: [P, Program][] = [];
  try {
    if (kept !== undefined) {
      const isThere = async (): Promise<boolean> => (await find()) !== undefined;
      weights = await openFound(kept, isThere, model.image, memory, options);
    } else {
      weights = await openStored(store, model.image, memory, conductor.packer(), description, options);
      for (const { offsets, bytes } of [model.staging, model.windows]) {
        for (const offset of offsets) memory.discard(offset, bytes);
      }
    }
    if (weights !== undefined) {
      await conductor.ready();
      programs = names.map((name, i) => [name, conductor.program(i)]);
    }
  } catch (error) {
    await conductor.close();
    await weights?.kept;
    throw error;
  }
  if (weights === undefined) {
    await conductor.close();
    return await openModel(tier, store, graphs, options, ownThread); // what is kept now
  }
  const { how, kept: keeping } = weights;
  const close = async (): Promise<void> => {
    await conductor.close();
    await keeping;
  };
  return {
    programs: Object.fromEntries(programs) as Record<P, Program>,
    states: floatStates(model, memory),
    copyRows(state, heads, from, to, count) {
      const { offset, rowBytes, rows } = model.states.get(state)!;
      const ofHead = rowBytes / heads;
      // each head has a plane of its own for all slots (kernels/key-blocks.ts)
      for (let head = 0; head < heads; head++) {
        const plane = new Uint8Array(memory.shared.buffer, offset + head * ofHead * rows, ofHead * rows);
        plane.copyWithin(to * ofHead, from * ofHead, (from + count) * ofHead);
      }
    },
    memory: use,
    threads,
    weights: how,
    close,
    [Symbol.asyncDispose]: close,
  };
}

const floatStates = ({ states }: PlacedModel, { shared }: ModelMemory): Record<string, Float32Array> =>
  Object.fromEntries(
    [...states]
      .filter(([, { type }]) => type === "f32")
      .map(([name, { offset, elements }]) => [name, new Float32Array(shared.buffer, offset, elements)]),
  );

interface ConductorOptions extends Pick<OpenOptions, "codes"> {
  /** Whether weights will be packed. */
  readonly packs: boolean;
  /** Whether threads stay on cores of their own. */
  readonly pin: boolean;
  readonly ownThread: boolean;
}

/** The caller's side of a placed model: its programs, one running at a time. */
class Conductor {
  readonly #model: PlacedModel;
  readonly #memory: ModelMemory;
  readonly #code: ModelCode;
  readonly #kernels: readonly Kernel[];
  readonly #pool: Pick<ComputePool, "ready" | "run" | "close">;
  #closed = false;
  #running = false;

  constructor(model: PlacedModel, tier: Tier, memory: ModelMemory, options: ConductorOptions) {
    const { packs, pin, codes, ownThread } = options;
    this.#model = model;
    this.#memory = memory;
    const steps = model.programs.flatMap((program) => program.steps);
    const packed = packs ? model.image.forms.filter(({ form }) => form === "packed") : [];
    const packers = packed.map(({ stored }) => packKernels[packedFormat(stored.format)]);
    const kernels = [...steps.map(({ kernel }) => kernel), ...packers];
    this.#kernels = [...new Set(kernels)];
    this.#code = tier.compile(this.#kernels, model.machine, memory.shared, codes);
    const Threads = ownThread ? OwnThread : ComputePool;
    try {
      this.#pool = new Threads({
        memory: memory.shared,
        code: this.#code.threadCode,
        base: memory.base,
        kernels: this.#kernels.map(({ name }) => name),
        scratch: model.scratch,
        pin,
      });
    } catch (error) {
      this.#code.release();
      throw error;
    }
  }

  /** Resolves when all threads can run programs. */
  ready(): Promise<void> {
    return this.#pool.ready();
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

  /** What packs weights: buffers where the arena is, and the threads. */
  packer(): Packer {
    const { staging, windows } = this.#model;
    const placesOf = ({ offsets, bytes }: BufferPair): readonly [Place, Place] => [
      this.#memory.place(offsets[0], bytes),
      this.#memory.place(offsets[1], bytes),
    ];
    return { staging: placesOf(staging), windows: placesOf(windows), pack: (request) => this.#pack(request) };
  }

  async #pack({ format, source, target, rows, blocks }: PackRequest): Promise<void> {
    const table = this.#model.packStep;
    const record = table + STEP_WORDS * 4;
    const parts = Math.min(Math.ceil(rows / GROUP_ROWS), PACK_PARTS_MOST);
    const words = new Int32Array(this.#memory.shared.buffer);
    words.set([this.#kernels.indexOf(packKernels[format]), record, parts, 0], table / 4);
    const wordBytes = this.#model.machine.word / 8;
    for (const [i, value] of [source, target, rows, blocks].entries()) {
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

  #addressOf(place: StepPlace, { addresses, plan }: PlacedProgram): number {
    const { arena, states, image } = this.#model;
    const { base, weightBase } = this.#memory;
    const { weights } = image;
    if (place.kind === "arena") return base + arena + plan.offsets[place.index];
    const found = {
      state: () => base + states.get(place.name)!.offset,
      input: () => base + addresses.inputs.get(place.name)!,
      table: () => base + addresses.tables.get(place.name)!,
      output: () => base + addresses.outputs.get(place.name)!,
      packed: () => weightBase + weights.get(place.name)!.packed!,
      plain: () => weightBase + weights.get(place.name)!.plain!,
    };
    return found[place.kind](); // everything a step names was placed
  }
}
