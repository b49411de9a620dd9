// The smallest engine there can be: runs rows of several sequences through one program, with pages handed out in a
// scrambled order, so that nothing works only because positions and slots happen to agree.
import type { Executor, OpenModel, ParameterStore, Program } from "../../src/device/executor.ts";
import { type Model, traceModel } from "../../src/models/index.ts";
import { ropeRows } from "../../src/nn/index.ts";

const PAGE_SIZE = 4;
const PAGES_PER_SEQUENCE = 16;
const SEQUENCES = 2;
const PAGES = SEQUENCES * PAGES_PER_SEQUENCE;

/** Rows of one sequence in one run, after those it had before. */
export interface Chunk {
  readonly sequence: number;
  readonly ids: ArrayLike<number>;
}

export interface RunResult {
  /** (rows, V), in the order of the chunks' rows. */
  readonly logits: Float32Array;
  readonly taps: Readonly<Record<string, Float32Array>>;
}

export interface Runner extends AsyncDisposable {
  readonly opened: OpenModel<"run">;
  run(chunks: readonly Chunk[]): Promise<RunResult>;
  /** Forgets what the sequences held. */
  reset(): void;
}

export interface RunnerOptions {
  readonly rows?: number;
  readonly kvType?: "f16" | "f32";
  readonly taps?: readonly string[];
}

export async function createRunner(
  executor: Executor,
  store: ParameterStore,
  model: Model,
  { rows = 64, kvType = "f32", taps = [] }: RunnerOptions = {},
): Promise<Runner> {
  const graph = traceModel(model, {
    rows,
    sequences: SEQUENCES,
    outputRows: rows,
    pages: PAGES_PER_SEQUENCE,
    pageSize: PAGE_SIZE,
    slots: Object.fromEntries(model.cacheGroups.map(({ name }) => [name, PAGES * PAGE_SIZE])),
    kvType,
    taps,
  });
  const opened = await executor.open(store, { run: graph }, { precision: "f32" });
  const program: Program = opened.programs.run;
  const lengths = Array.from({ length: SEQUENCES }, () => 0);
  // 5 and 32 have no common divisor, so every page is met once
  const pageOf = (sequence: number, index: number): number => ((index * SEQUENCES + sequence) * 5 + 3) % PAGES;

  function setInput(name: string, values: readonly number[]): void {
    program.inputs[name].set(values);
  }

  return {
    opened,
    async run(chunks) {
      const ids = chunks.flatMap((chunk) => Array.from(chunk.ids));
      const sequences = chunks.flatMap((chunk) => Array.from(chunk.ids, () => chunk.sequence));
      const positions = sequences.map((sequence) => lengths[sequence]++);
      setInput("ids", ids);
      setInput("sequences", sequences);
      setInput("positions", positions);
      setInput(
        "outputRows",
        ids.map((_, i) => i),
      );
      for (const { name } of model.cacheGroups) {
        const indices = Array.from({ length: PAGES }, (_, i) => i);
        setInput(
          `pages.${name}`,
          indices.map((i) => pageOf(Math.floor(i / PAGES_PER_SEQUENCE), i % PAGES_PER_SEQUENCE)),
        );
        setInput(
          `slots.${name}`,
          positions.map((p, i) => pageOf(sequences[i], Math.floor(p / PAGE_SIZE)) * PAGE_SIZE + (p % PAGE_SIZE)),
        );
      }
      for (const rope of model.ropes) {
        const [cos, sin] = ["cos", "sin"].map((part) => program.inputs[`rope.${rope.name}.${part}`] as Float32Array);
        ropeRows(rope, positions, cos, sin);
      }
      await program.run({
        rows: ids.length,
        sequences: SEQUENCES,
        outputRows: ids.length,
        pages: PAGES_PER_SEQUENCE,
      });
      const leading = (values: Float32Array): Float32Array => values.slice(0, (values.length / rows) * ids.length);
      return {
        logits: leading(program.outputs.logits),
        taps: Object.fromEntries(taps.map((name) => [name, leading(program.outputs[name])])),
      };
    },
    reset: () => void lengths.fill(0),
    [Symbol.asyncDispose]: () => opened.close(),
  };
}
