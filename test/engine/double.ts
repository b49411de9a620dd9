// A model and an executor for tests of the engine, with no arithmetic: logits after a row are a hash of all ids up to
// it, and every run checks that slots, page tables, positions and angles are what the cache groups need. What a run
// finds wrong is kept in `faults`, whatever the engine makes of the error.
import assert from "node:assert/strict";
import { KernelError } from "../../src/base/errors.ts";
import type { Executor, MemoryUse, OpenModel, ParameterStore, Program } from "../../src/device/executor.ts";
import { type ExtentValues, type Graph, add, elementsBound, gather, linear, rope } from "../../src/graph/index.ts";
import type { Model, ParameterSource } from "../../src/models/model.ts";

export const VOCABULARY = 64;
export const PAGE_SIZE = 4;
export const CHUNK_ROWS = 16;
export const SLIDING_WINDOW = 6;
const WIDTH = 4;
const FREQUENCIES = Float64Array.of(1, 0.1);

const matrix: ParameterSource = { vector: false, rows: VOCABULARY, columns: WIDTH, pieces: [] };

/** One full layer and, if asked for, a sliding one; its forward only has to reach every input. */
export const doubleModel = (window: number, sliding: boolean): Model => ({
  family: "double",
  vocabularySize: VOCABULARY,
  window,
  width: WIDTH,
  layers: sliding ? 2 : 1,
  cacheGroups: [
    { name: "full", layers: 1, kvHeads: 1, headSize: WIDTH },
    ...(sliding ? [{ name: "sliding", layers: 1, kvHeads: 1, headSize: WIDTH, window: SLIDING_WINDOW }] : []),
  ],
  ropes: [{ name: "main", frequencies: FREQUENCIES, magnitude: 1 }],
  parameters: new Map([
    ["embedding", matrix],
    ["head", matrix],
  ]),
  ignored: new Map(),
  weightRows: [],
  heads: { logits: (hidden, x) => linear(hidden, x.parameter("head")) },
  forward(x) {
    const { cos, sin } = x.ropes.main;
    let hidden = rope(gather(x.parameter("embedding"), x.ids), cos, sin, { headSize: WIDTH, layout: "halves" });
    for (const [attend] of Object.values(x.attends)) {
      hidden = add(hidden, attend(hidden, hidden, hidden, { heads: 1, kvHeads: 1, scale: 1 }));
    }
    return gather(hidden, x.outputRows);
  },
});

export const doubleStore: ParameterStore = {
  parameters: new Map(
    ["embedding", "head"].map((name) => [
      name,
      { name, rows: VOCABULARY, columns: WIDTH, format: "f32", byteLength: VOCABULARY * WIDTH * 4 },
    ]),
  ),
  readRows: () => Promise.reject(new Error("the double reads no weight")),
};

const mix = (hash: number, value: number): number => Math.imul(hash ^ (value + 1), 0x01000193) ^ (hash >>> 15);
const logit = (hash: number, id: number): number => (mix(mix(hash, id), id) >>> 0) / 2 ** 29; // 0..8

/** Logits (V) after `ids`. */
export function expectedLogits(ids: readonly number[]): Float32Array {
  const hash = ids.reduce(mix, 17);
  return Float32Array.from({ length: VOCABULARY }, (_, id) => logit(hash, id));
}

/** The first `count` greedy ids after `ids`. */
export function expectedReply(ids: readonly number[], count: number): number[] {
  const all = [...ids];
  for (let i = 0; i < count; i++) {
    const logits = expectedLogits(all);
    all.push(logits.indexOf(logits.reduce((a, b) => Math.max(a, b))));
  }
  return all.slice(ids.length);
}

export interface DoubleRun {
  readonly program: string;
  readonly extents: ExtentValues;
  /** Position of each row, and the row of the page table that it belongs to. */
  readonly positions: readonly number[];
  readonly sequences: readonly number[];
}

interface Row {
  readonly position: number;
  readonly id: number;
}

export class DoubleExecutor implements Executor {
  readonly name = "reference";
  readonly tier = "double";
  readonly runs: DoubleRun[] = [];
  readonly faults: unknown[] = [];
  graphs: Readonly<Record<string, Graph>> = {};
  closed = false;
  /** Called before each run takes effect; may wait, or throw to make it fail. */
  beforeRun: (run: DoubleRun) => Promise<void> | void = () => {};
  #running = false;

  async plan(): Promise<MemoryUse> {
    const nothing = { weightBytes: 0, stateBytes: 0, arenaBytes: 0, runtimeBytes: 0, headroomBytes: Infinity };
    return { ...nothing, bytesPerToken: { prompt: 8, decode: 7 } };
  }

  async open<P extends string>(_: ParameterStore, graphs: Readonly<Record<P, Graph>>): Promise<OpenModel<P>> {
    this.graphs = graphs;
    const states = new Map<string, Map<number, Row>>(); // group -> slot -> what lies there
    const programs = Object.fromEntries(
      Object.entries<Graph>(graphs).map(([name, graph]) => [name, this.#program(name, graph, states)]),
    ) as Record<P, Program>;
    const isRunning = (): boolean => this.#running;
    const close = async (): Promise<void> => {
      assert.ok(!this.#running, "closed while a run is under way");
      this.closed = true;
    };
    return {
      programs,
      states: {},
      copyRows(state, _heads, from, to, count) {
        assert.ok(!isRunning(), "copied while a run is under way");
        const slots = states.get(state.split(".")[1])!;
        for (let i = 0; i < count; i++) {
          const row = slots.get(from + i);
          if (row === undefined) slots.delete(to + i);
          else slots.set(to + i, row);
        }
      },
      memory: await this.plan(),
      threads: 1,
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #program(name: string, graph: Graph, states: Map<string, Map<number, Row>>): Program {
    const inputs = Object.fromEntries(
      Array.from(graph.inputs, ([leaf, { shape, type }]) => {
        return [leaf, new (type === "i32" ? Int32Array : Float32Array)(elementsBound(shape))];
      }),
    );
    const logits = new Float32Array(elementsBound(graph.outputs.logits.shape));
    const check = (extents: ExtentValues): void => {
      for (const [extent, { bound }] of graph.extents) assert.ok(extents[extent] <= bound, `${extent} is in bounds`);
    };
    const groupNames = ["full", "sliding"].filter((group) => graph.inputs.has(`pages.${group}`));

    /** Writes the rows and gives each row's hash; throws AssertionError for anything out of place. */
    const compute = ({ rows, pages: pagesPerSequence }: ExtentValues): number[] => {
      const groups = groupNames.map((group) => {
        const window = group === "sliding" ? SLIDING_WINDOW : Infinity;
        if (!states.has(group)) states.set(group, new Map());
        const pages = inputs[`pages.${group}`];
        const slots = graph.states.get(`kv.${group}.0.keys`)?.shape[0] as number;
        const slotOf = (row: number, position: number): number => {
          const page = pages[inputs.sequences[row] * pagesPerSequence + Math.floor(position / PAGE_SIZE)];
          const slot = page * PAGE_SIZE + (position % PAGE_SIZE);
          assert.ok(slot >= 0 && slot < slots, `${group}: slot ${slot} is one of ${slots}`);
          return slot;
        };
        return { group, window, state: states.get(group) as Map<number, Row>, slotOf };
      });
      for (const { group, state, slotOf } of groups) {
        const written = new Set<number>();
        for (let row = 0; row < rows; row++) {
          const position = inputs.positions[row];
          const slot = inputs[`slots.${group}`][row];
          assert.equal(slot, slotOf(row, position), `${group}: a row is written where its page table says`);
          assert.ok(!written.has(slot), `${group}: rows of one run are written to slots of their own`);
          written.add(slot);
          state.set(slot, { position, id: inputs.ids[row] });
        }
      }
      return Array.from({ length: rows }, (_, row) => {
        const position = inputs.positions[row];
        for (const [i, frequency] of FREQUENCIES.entries()) {
          assert.equal(inputs["rope.main.cos"][row * 2 + i], Math.fround(Math.cos(position * frequency)));
          assert.equal(inputs["rope.main.sin"][row * 2 + i], Math.fround(Math.sin(position * frequency)));
        }
        const ids = groups.map(({ group, window, state, slotOf }) => {
          const first = Math.max(0, position - window + 1);
          return Array.from({ length: position + 1 - first }, (_unused, i) => {
            const seen = state.get(slotOf(row, first + i));
            assert.equal(seen?.position, first + i, `${group}: the slot of position ${first + i} holds it`);
            return seen?.id ?? -1;
          });
        });
        for (const seen of ids) assert.deepEqual(seen, ids[0].slice(-seen.length), "all groups hold the same ids");
        return ids[0].reduce(mix, 17);
      });
    };

    return {
      inputs,
      outputs: { logits },
      run: async (extents, signal) => {
        const positions = Array.from(inputs.positions.subarray(0, extents.rows));
        const sequences = Array.from(inputs.sequences.subarray(0, extents.rows));
        const run = { program: name, extents, positions, sequences };
        try {
          assert.ok(!this.#running, "one run at a time");
          assert.ok(!this.closed, "no run after close");
          this.#running = true;
          signal?.throwIfAborted();
          this.runs.push(run);
          await new Promise((resolve) => setImmediate(resolve));
          await this.beforeRun(run);
          signal?.throwIfAborted();
          check(extents);
          const hashes = compute(extents);
          for (let i = 0; i < extents.outputRows; i++) {
            const hash = hashes[inputs.outputRows[i]];
            for (let id = 0; id < VOCABULARY; id++) logits[i * VOCABULARY + id] = logit(hash, id);
          }
        } catch (error) {
          if (error instanceof assert.AssertionError) this.faults.push(error);
          // what a failed or aborted run was to write is undefined
          for (const [group, state] of states) {
            for (const slot of inputs[`slots.${group}`].subarray(0, extents.rows)) state.delete(slot);
          }
          throw error;
        } finally {
          this.#running = false;
        }
      },
    };
  }
}

export const kernelError = (): KernelError => new KernelError("The kernel of the test failed.", 3, 1);
