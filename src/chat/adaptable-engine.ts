// An engine that adapters are attached to while it is open. Where one has no room it is opened again with more, over the same
// packed weights: what runs ends first, what comes waits. Not here: files (load-path.ts), places (engine/adapters.ts).
import { untilAborted } from "../base/abort.ts";
import { UsageError } from "../base/errors.ts";
import type { AdapterTables } from "../engine/adapter-tables.ts";
import type { AdapterRoom, AttachedAdapter } from "../engine/adapters.ts";
import type { Engine, EngineEvent, GenerateRequest, Generation, ReadOptions } from "../engine/index.ts";

/** An adapter of an open model, for as long as the model is open or until it is detached. */
export interface Attachment {
  /** Absent once it is detached. */
  place: AttachedAdapter | undefined;
}

export interface EngineMaker {
  /** Opens the model with room for adapters; throws MemoryError before that where there is no memory for them. */
  open(room: AdapterRoom | undefined): Promise<Engine>;
  /** Throws MemoryError where `open` would, while the present engine is still open. */
  check(room: AdapterRoom): Promise<void>;
  room(adapters: readonly AdapterTables[]): AdapterRoom;
}

/** A part of an engine's API, with an adapter or none. */
export type AdaptedEngine = Pick<Engine, "generate" | "logits" | "score">;

export class AdaptableEngine {
  readonly #maker: EngineMaker;
  #engine: Engine;
  #room: AdapterRoom | undefined;
  readonly #attached = new Set<Attachment>();
  #users = 0;
  /** Settles when it is open again: present while it is being opened, or waits to be. */
  #changing: Promise<void> | undefined;
  #whenUnused: (() => void) | undefined;
  #closed = false;

  constructor(engine: Engine, room: AdapterRoom | undefined, maker: EngineMaker) {
    this.#engine = engine;
    this.#room = room;
    this.#maker = maker;
  }

  /** The one that is open now. */
  get engine(): Engine {
    return this.#engine;
  }

  /** The engine with an adapter; without, the model itself. */
  with(attachment?: Attachment): AdaptedEngine {
    return {
      generate: (request) => this.#generate(request, attachment),
      logits: (ids, options) => this.#use(attachment, options, (engine, more) => engine.logits(ids, more)),
      score: (ids, options) => this.#use(attachment, options, (engine, more) => engine.score(ids, more)),
    };
  }

  /**
   * Attaches: at once where there is a place for it, else by opening the model again. Throws MemoryError, and what opening
   * throws; the model is then as it was.
   */
  async attach(adapter: AdapterTables, signal?: AbortSignal): Promise<Attachment> {
    while (this.#changing !== undefined) await untilAborted(this.#changing, signal);
    this.#checkOpen();
    const place = await this.#engine.attach(adapter);
    if (place !== undefined) return this.#keep({ place });
    // between the question and here another one may have begun
    if (this.#changing !== undefined) return await this.attach(adapter, signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#changing = promise;
    try {
      return await this.#attachAfresh(adapter, signal);
    } finally {
      this.#changing = undefined;
      resolve();
    }
  }

  detach(attachment: Attachment): void {
    this.#attached.delete(attachment);
    if (attachment.place !== undefined) this.#engine.detach(attachment.place);
    attachment.place = undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closing = this.#engine.close(); // ends what runs, so that a change that waits for it goes on
    await this.#changing;
    await closing;
    await this.#engine.close();
  }

  async #attachAfresh(adapter: AdapterTables, signal: AbortSignal | undefined): Promise<Attachment> {
    await untilAborted(this.#unused(), signal);
    this.#checkOpen();
    const present = [...this.#attached];
    const tables = present.map(({ place }) => this.#engine.tablesOf(place!));
    const room = this.#maker.room([...tables, adapter]);
    await this.#maker.check(room);
    await this.#engine.close();
    try {
      await this.#open(room, present, tables);
    } catch (error) {
      await this.#open(this.#room, present, tables);
      throw error;
    }
    this.#room = room;
    return this.#keep({ place: (await this.#engine.attach(adapter))! });
  }

  async #open(room: AdapterRoom | undefined, present: readonly Attachment[], tables: readonly AdapterTables[]) {
    this.#engine = await this.#maker.open(room);
    for (const [i, attachment] of present.entries()) {
      const place = await this.#engine.attach(tables[i]);
      // it may have been detached meanwhile
      if (this.#attached.has(attachment)) attachment.place = place;
      else if (place !== undefined) this.#engine.detach(place);
    }
  }

  #keep(attachment: Attachment): Attachment {
    this.#attached.add(attachment);
    return attachment;
  }

  #generate(request: GenerateRequest, attachment: Attachment | undefined): Generation {
    let generation: Generation | undefined;
    let isStopped = false;
    const begin = (engine: Engine, adapter: AttachedAdapter | undefined): Generation => {
      generation = engine.generate({ ...request, adapter });
      if (isStopped) generation.stop();
      return generation;
    };
    const events = this.#events(request.signal, attachment, begin);
    return {
      [Symbol.asyncIterator]: () => events,
      stop(): void {
        isStopped = true;
        generation?.stop();
      },
    };
  }

  async *#events(
    signal: AbortSignal | undefined,
    attachment: Attachment | undefined,
    begin: (engine: Engine, adapter: AttachedAdapter | undefined) => Generation,
  ): AsyncGenerator<EngineEvent, void> {
    await this.#enter(signal);
    try {
      yield* begin(this.#engine, placeOf(attachment));
    } finally {
      this.#leave();
    }
  }

  async #use<T>(
    attachment: Attachment | undefined,
    options: ReadOptions = {},
    action: (engine: Engine, options: ReadOptions) => Promise<T>,
  ): Promise<T> {
    await this.#enter(options.signal);
    try {
      return await action(this.#engine, { ...options, adapter: placeOf(attachment) });
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    while (this.#changing !== undefined) await untilAborted(this.#changing, signal);
    this.#users++;
  }

  #leave(): void {
    this.#users--;
    if (this.#users === 0) this.#whenUnused?.();
  }

  async #unused(): Promise<void> {
    if (this.#users === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenUnused = resolve;
    });
    this.#whenUnused = undefined;
  }

  #checkOpen(): void {
    if (this.#closed) throw new UsageError("The model is closed.");
  }
}

function placeOf(attachment: Attachment | undefined): AttachedAdapter | undefined {
  if (attachment === undefined || attachment.place !== undefined) return attachment?.place;
  throw new UsageError("The adapter was detached.", { field: "adapter" });
}
