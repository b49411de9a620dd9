// The smallest engine there can be: runs rows of several sequences through one program, with pages handed out in a
// scrambled order, so that nothing works only because positions and slots happen to agree.
import type { Executor, OpenModel, ParameterStore, Program } from "../../src/device/executor.ts";
import { type Model, type TraceOptions, fillRopes, traceModel } from "../../src/models/index.ts";
import { ropeStage } from "../../src/nn/index.ts";

const PAGE_SIZE = 4;
const PAGES_PER_SEQUENCE = 16;
const SEQUENCES = 2;
const PAGES = SEQUENCES * PAGES_PER_SEQUENCE;

/** Rows of one sequence in one run, after those it had before. */
export interface Chunk {
  readonly sequence: number;
  readonly ids: ArrayLike<number>;
  /** The sequence's source, which this run reads first; absent: it was read before. */
  readonly source?: ArrayLike<number>;
  /** How long the sequence is when all its chunks were run. Default: as long as this one makes it. */
  readonly total?: number;
}

export interface RunResult {
  /** (rows, V), in the order of the chunks' rows. */
  readonly logits: Float32Array;
  readonly taps: Readonly<Record<string, Float32Array>>;
}

export interface Runner extends AsyncDisposable {
  readonly opened: OpenModel<"run" | "read">;
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
  const cached = [...model.cacheGroups, ...(model.encoder === undefined ? [] : [model.encoder.group])];
  const isOfSource = (name: string): boolean => name.startsWith("source.");
  const traced: TraceOptions = {
    rows,
    sequences: SEQUENCES,
    outputRows: rows,
    pages: PAGES_PER_SEQUENCE,
    pageSize: PAGE_SIZE,
    slots: Object.fromEntries(cached.map(({ name }) => [name, PAGES * PAGE_SIZE])),
    kvType,
    taps: taps.filter((name) => !isOfSource(name)),
  };
  const run = traceModel(model, traced);
  // without an encoder the two programs are the same
  const read = model.encoder === undefined ? run : traceModel(model, { ...traced, taps, sourceRows: rows });
  const opened = await executor.open(store, { run, read }, { precision: "f32" });
  const sources = Array.from({ length: SEQUENCES }, () => 0);
  const lengths = Array.from({ length: SEQUENCES }, () => 0);
  // 5 and 32 have no common divisor, so every page is met once
  const pageOf = (sequence: number, index: number): number => ((index * SEQUENCES + sequence) * 5 + 3) % PAGES;

  const slotOf = (sequence: number, position: number): number =>
    pageOf(sequence, Math.floor(position / PAGE_SIZE)) * PAGE_SIZE + (position % PAGE_SIZE);

  /** Fills the inputs of all sources that the chunks bring; returns how many rows they have. */
  function setSources(program: Program, chunks: readonly Chunk[]): number {
    const read = chunks.filter(({ source }) => source !== undefined);
    const flat = (of: (chunk: Chunk, position: number, first: number) => number): number[] => {
      let first = 0;
      return read.flatMap((chunk) => {
        const values = Array.from(chunk.source!, (_, i) => of(chunk, i, first));
        first += values.length;
        return values;
      });
    };
    for (const { sequence, source } of read) sources[sequence] = source!.length;
    const positions = flat((_, i) => i);
    const values = {
      "source.ids": flat(({ source }, i) => source![i]),
      "source.positions": positions,
      "source.starts": flat((_, __, first) => first),
      "source.ends": flat(({ source }, _, first) => first + source!.length),
      "slots.source": flat(({ sequence }, i) => slotOf(sequence, i)),
    };
    for (const [name, numbers] of Object.entries(values)) program.inputs[name]?.set(numbers);
    let first = 0;
    for (const { source } of read) {
      const own = Int32Array.from(positions.slice(first, first + source!.length));
      fillRopes(model, program.inputs, own, ropeStage(model.ropes, own.length), first, "source.");
      first += own.length;
    }
    return positions.length;
  }

  return {
    opened,
    async run(chunks) {
      const readsSources = chunks.some(({ source }) => source !== undefined);
      const program: Program = opened.programs[readsSources ? "read" : "run"];
      const setInput = (name: string, values: readonly number[]): void => program.inputs[name]?.set(values);
      const sourceRows = readsSources ? setSources(program, chunks) : 0;
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
      setInput(
        "last.source",
        sequences.map((sequence) => sources[sequence] - 1),
      );
      for (const { name } of cached) {
        const indices = Array.from({ length: PAGES }, (_, i) => i);
        setInput(
          `pages.${name}`,
          indices.map((i) => pageOf(Math.floor(i / PAGES_PER_SEQUENCE), i % PAGES_PER_SEQUENCE)),
        );
        if (name === "source") continue;
        setInput(
          `slots.${name}`,
          positions.map((p, i) => slotOf(sequences[i], p)),
        );
      }
      let row = 0;
      for (const chunk of chunks) {
        const own = Int32Array.from(positions.slice(row, row + chunk.ids.length));
        const stage = ropeStage(model.ropes, chunk.total ?? lengths[chunk.sequence]);
        fillRopes(model, program.inputs, own, stage, row);
        row += chunk.ids.length;
      }
      await program.run({
        rows: ids.length,
        sequences: SEQUENCES,
        outputRows: ids.length,
        pages: PAGES_PER_SEQUENCE,
        ...(readsSources && { sourceRows }),
      });
      const leading = (values: Float32Array, count = ids.length): Float32Array =>
        values.slice(0, (values.length / rows) * count);
      const given = taps.filter((name) => name in program.outputs);
      return {
        logits: leading(program.outputs.logits),
        taps: Object.fromEntries(
          given.map((name) => [name, leading(program.outputs[name], isOfSource(name) ? sourceRows : ids.length)]),
        ),
      };
    },
    reset: () => void lengths.fill(0),
    [Symbol.asyncDispose]: () => opened.close(),
  };
}
