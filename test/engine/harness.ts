// Opens the double behind a real engine, and reads generations to their end.
import assert from "node:assert/strict";
import { type Engine, type EngineEvent, type GenerateRequest, openEngine } from "../../src/engine/index.ts";
import { CHUNK_ROWS, DoubleExecutor, PAGE_SIZE, VOCABULARY, doubleModel, doubleStore } from "./double.ts";

export interface Opened extends AsyncDisposable {
  readonly engine: Engine;
  readonly executor: DoubleExecutor;
}

/** Closes at the end of the block and then asserts that no run found anything out of place. */
export async function openDouble({ window = 200, slots = 4, sliding = true } = {}): Promise<Opened> {
  const executor = new DoubleExecutor();
  const options = { window, slots, pageSize: PAGE_SIZE, chunkRows: CHUNK_ROWS };
  const engine = await openEngine(doubleModel(window, sliding), doubleStore, executor, options);
  return {
    engine,
    executor,
    async [Symbol.asyncDispose]() {
      await engine.close();
      assert.deepEqual(executor.faults, []);
    },
  };
}

/** A text of ids that differs for each seed. */
export const text = (seed: number, length: number): number[] =>
  Array.from({ length }, (_, i) => (seed * 31 + i * i * 7 + i) % VOCABULARY);

export interface Result {
  readonly ids: number[];
  readonly events: EngineEvent[];
  readonly end: EngineEvent & { readonly type: "end" };
}

/** All of a stream's events. */
export async function collect(events: AsyncIterable<EngineEvent>): Promise<EngineEvent[]> {
  const all: EngineEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export async function read(engine: Engine, request: GenerateRequest): Promise<Result> {
  const events = await collect(engine.generate(request));
  const end = events.at(-1);
  assert.ok(end?.type === "end");
  const ids = events.flatMap((event) => (event.type === "token" ? [event.id] : []));
  return { ids, events, end };
}

/** Rows that reached the head so far. */
export const outputRows = (executor: DoubleExecutor): number =>
  executor.runs.reduce((sum, run) => sum + run.extents.outputRows, 0);
