// Opens a model on an executor and runs it: the engine's body, joining scheduler, replies and readings. Not here:
// texts (src/chat), which options are wise (`plan` tells what they take).
import { MemoryError, UsageError } from "../base/errors.ts";
import type { Executor, MemoryUse, OpenModel, OpenWeights, ParameterStore } from "../device/executor.ts";
import type { Graph } from "../graph/index.ts";
import type { Model } from "../models/model.ts";
import { ropeStage } from "../nn/index.ts";
import type { AdapterTables } from "./adapter-tables.ts";
import { AdapterPlaces, type AttachedAdapter, fitsRoom } from "./adapters.ts";
import { type BeamHost, BeamReply } from "./beams/beam-reply.ts";
import type { CopyPage } from "./cache/cached-sequence.ts";
import { type Layout, type ProgramName, layoutOf, tracePrograms } from "./layout.ts";
import { Reading } from "./reading.ts";
import { Reply } from "./reply.ts";
import { checkFits, checkedIds, checkedSource } from "./request.ts";
import { Sampler } from "./sampler.ts";
import { largestOf, logSumExp } from "./sampling/log-probability.ts";
import { Scheduler } from "./scheduler.ts";
import type { Engine, EngineEvent, EngineOptions, GenerateRequest, Generation, ReadOptions } from "./types.ts";

/** All logits of a text in one array: more than this is for `score`. */
const LOGITS_BYTES_MAX = 2 ** 32;

/**
 * Loads the weights, allocates keys and values, compiles the programs. Throws UsageError for options out of range,
 * and what the store and the executor throw.
 */
export async function openEngine(
  model: Model,
  store: ParameterStore,
  executor: Executor,
  options: EngineOptions,
): Promise<Engine> {
  const layout = layoutOf(model, options, executor.promptRows);
  const { threads, pin, precision, packs, codes, onProgress, signal } = options;
  const wishes = { threads, pin, precision, packs, codes, onProgress, signal };
  const programs = tracePrograms(model, layout) as Readonly<Record<ProgramName, Graph>>; // `source` where the layout has one
  const opened = await executor.open(store, programs, wishes);
  return new RunningEngine(model, layout, opened);
}

/** What runs the model: all that holds its memory. */
interface Running {
  readonly opened: OpenModel<ProgramName>;
  readonly scheduler: Scheduler;
  readonly host: BeamHost;
  /** Absent: there is no room for adapters. */
  readonly adapters: AdapterPlaces | undefined;
}

class RunningEngine implements Engine {
  readonly window: number;
  readonly slots: number;
  readonly threads: number;
  readonly memory: MemoryUse;
  readonly bytesPerToken: number;
  readonly weights: OpenWeights;
  readonly #vocabularySize: number;
  readonly #layout: Layout;
  /** Let go of by `close`, so that whoever still has the engine holds no weights. */
  #running: Running | undefined;
  #closing: Promise<void> | undefined;

  constructor(model: Model, layout: Layout, opened: OpenModel<ProgramName>) {
    const { vocabularySize } = model;
    const { window } = layout;
    this.window = window;
    this.slots = layout.slots;
    this.threads = opened.threads;
    this.memory = opened.memory;
    this.weights = opened.weights ?? { from: "packed" };
    this.bytesPerToken = opened.memory.bytesPerToken.decode;
    this.#vocabularySize = vocabularySize;
    this.#layout = layout;
    const scheduler = new Scheduler(model, layout, opened);
    const sampler = new Sampler(vocabularySize);
    const host: BeamHost = {
      vocabularySize,
      window,
      sourceRows: layout.source?.rows,
      slots: layout.slots,
      sampler,
      wake: () => scheduler.wake(),
      between: (action) => scheduler.between(action),
      copyPage: pageCopier(layout, opened),
      ropeStage: (length) => ropeStage(model.ropes, length),
    };
    const room = layout.adapters;
    const adapters = room === undefined ? undefined : new AdapterPlaces(room, opened.states);
    this.#running = { opened, scheduler, host, adapters };
  }

  generate(request: GenerateRequest): Generation {
    let reply: Reply | BeamReply | undefined;
    let stopped = false;
    let iterated = false;
    const begin = (): Reply | BeamReply => {
      if (iterated) throw new UsageError("This generation was iterated before.", { hint: "Call generate again." });
      iterated = true;
      const { scheduler, host } = this.#open();
      this.#checkAttached(request.adapter);
      reply = (request.beams?.count ?? 1) === 1 ? new Reply(request, host) : new BeamReply(request, host);
      if (stopped) reply.stop();
      else for (const task of reply.tasks) scheduler.submit(task);
      return reply;
    };
    return {
      [Symbol.asyncIterator]: () => eventsOf(begin),
      stop(): void {
        stopped = true;
        reply?.stop();
      },
    };
  }

  async logits(ids: readonly number[] | Int32Array, options: ReadOptions = {}): Promise<Float32Array> {
    const prompt = this.#checked(ids);
    const vocabularySize = this.#vocabularySize;
    const bytes = prompt.length * vocabularySize * Float32Array.BYTES_PER_ELEMENT;
    if (bytes > LOGITS_BYTES_MAX) {
      const hint = "Read fewer tokens, or ask for their probabilities alone with score.";
      throw new MemoryError("All logits of the text", bytes, LOGITS_BYTES_MAX, { hint });
    }
    const all = new Float32Array(prompt.length * vocabularySize);
    await this.#read(prompt, (logits, position) => all.set(logits, position * vocabularySize), options);
    return all;
  }

  async score(ids: readonly number[] | Int32Array, options: ReadOptions = {}): Promise<Float64Array> {
    const prompt = this.#checked(ids);
    const logprobs = new Float64Array(prompt.length - 1);
    if (logprobs.length === 0) return logprobs;
    const visit = (logits: Float32Array, position: number): void => {
      logprobs[position] = logits[prompt[position + 1]] - logSumExp(logits, largestOf(logits));
    };
    await this.#read(prompt.subarray(0, -1), visit, options); // what comes after the last id is not asked
    return logprobs;
  }

  async attach(adapter: AdapterTables): Promise<AttachedAdapter | undefined> {
    const { scheduler, adapters } = this.#open();
    const room = this.#layout.adapters;
    if (room === undefined || adapters === undefined || !fitsRoom(room, adapter)) return undefined;
    return await scheduler.between(() => {
      const place = adapters.free((choice) => scheduler.isChosen(choice));
      return place === undefined ? undefined : adapters.write(place, adapter);
    });
  }

  tablesOf(adapter: AttachedAdapter): AdapterTables {
    this.#checkAttached(adapter);
    return this.#running!.adapters!.read(adapter);
  }

  detach(adapter: AttachedAdapter): void {
    this.#running?.adapters?.detach(adapter);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close(this.#open());
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close({ scheduler, opened }: Running): Promise<void> {
    this.#running = undefined;
    await scheduler.close(new DOMException("The model was closed.", "AbortError"));
    await opened.close();
  }

  async #read(prompt: Int32Array, visit: (logits: Float32Array, position: number) => void, options: ReadOptions) {
    const { scheduler, host } = this.#open();
    this.#checkAttached(options.adapter);
    const source = checkedSource(options.source, host.sourceRows, host.vocabularySize);
    const reading = new Reading({ prompt, source }, visit, options, host.wake);
    scheduler.submit(reading);
    await reading.done;
  }

  #checkAttached(adapter: AttachedAdapter | undefined): void {
    if (adapter === undefined || this.#running?.adapters?.has(adapter)) return;
    throw new UsageError("The adapter is not attached to this model, or was detached.", { field: "adapter" });
  }

  #checked(ids: readonly number[] | Int32Array): Int32Array {
    const checked = checkedIds(ids, this.#vocabularySize);
    checkFits(checked, this.window, this.window);
    return checked;
  }

  #open(): Running {
    if (this.#running === undefined) throw new UsageError("The model is closed.");
    return this.#running;
  }
}

/** Copies pages of keys and values of all layers of a group. */
function pageCopier({ groups, pageSize }: Layout, opened: Pick<OpenModel, "copyRows">): CopyPage {
  const states = groups.map(({ group }) =>
    Array.from({ length: group.layers }, (_, layer) =>
      (group.valuesAreKeys === true ? ["keys"] : ["keys", "values"]).map((part) => `kv.${group.name}.${layer}.${part}`),
    ).flat(),
  );
  return (g, from, to) => {
    const { kvHeads } = groups[g].group;
    for (const state of states[g]) opened.copyRows(state, kvHeads, from * pageSize, to * pageSize, pageSize);
  };
}

async function* eventsOf(begin: () => Reply | BeamReply): AsyncGenerator<EngineEvent, void> {
  const reply = begin();
  try {
    for (let next = await reply.events.next(); !next.done; next = await reply.events.next()) yield next.value;
  } finally {
    reply.leave();
  }
}
