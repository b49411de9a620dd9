// Replies drawn from a model while it is trained: a program over the trainer's own weights, so that nothing is copied, and
// as many sequences in one run as there is room for. What a reply is depends on its prompt, its seed and the weights alone.
// Not here: what replies are worth (rewards), what is learnt from them (policy-batch.ts).
import { LiangError, UsageError } from "../base/errors.ts";
import { uniform } from "../base/random.ts";
import type { Program } from "../device/executor.ts";
import { CachedSequence } from "../engine/cache/cached-sequence.ts";
import { PagePool } from "../engine/cache/page-pool.ts";
import { type Layout, layoutOf } from "../engine/layout.ts";
import { checkFits, checkedIds } from "../engine/request.ts";
import { RowBatch } from "../engine/row-batch.ts";
import { DRAW_STREAM } from "../engine/sampler.ts";
import { type Graph, input, multiply, softmax } from "../graph/index.ts";
import { type Model, type WeightOptions, traceModel } from "../models/index.ts";

export interface RolloutBounds {
  /** Tokens that a sequence may hold, prompt and reply together. */
  readonly window: number;
  /** Replies that are drawn at once; others wait. */
  readonly sequences: number;
  /** Tokens of a run; default: one for each sequence, and 512 at least while prompts are read. */
  readonly rows?: number;
}

export interface RolloutPrompt {
  readonly ids: readonly number[] | Int32Array;
  /** Draws are a pure function of (seed, position in the sequence). */
  readonly seed: number;
}

export interface RolloutSettings {
  /** 0: the most likely token every time. */
  readonly temperature: number;
  /** Most tokens of a reply; the window may end it sooner. */
  readonly tokens: number;
  readonly endIds: ReadonlySet<number>;
  readonly signal?: AbortSignal | undefined;
}

export interface DrawnReply {
  /** The token that ended it included. */
  readonly ids: readonly number[];
  /** Whether a token ended it, not its length. */
  readonly ended: boolean;
}

/** Fewer rows at once leave products of a prompt slow. */
const ROWS_LEAST = 512;

/** Throws UsageError for bounds out of range. */
export function rolloutLayout(model: Model, { window, sequences, rows }: RolloutBounds): Layout {
  const chunkRows = rows ?? Math.max(sequences, ROWS_LEAST);
  if (chunkRows < sequences) {
    throw new UsageError(`A run has ${chunkRows} rows, expected one for each of ${sequences} sequences at least.`);
  }
  return layoutOf(model, { window, slots: sequences, chunkRows });
}

/** Input: what logits are multiplied by, 1 / temperature. Output: probabilities (outputRows, V). */
const [SHARPNESS, PROBABILITIES] = ["sharpness", "probabilities"];

type ProgramName = "rolloutPrompt" | "rolloutDecode";

/** Rows of prompts of any of the sequences, the last row of each may reach the head; and one row of each of them. */
export function rolloutGraphs(model: Model, layout: Layout, weights: WeightOptions): Record<ProgramName, Graph> {
  const of = (rows: number): Graph => rolloutGraph(model, layout, weights, rows);
  return { rolloutPrompt: of(layout.chunkRows), rolloutDecode: of(layout.slots) };
}

function rolloutGraph(model: Model, layout: Layout, weights: WeightOptions, rows: number): Graph {
  const { slots, pagesPerSequence, pageSize, kvType, groups } = layout;
  return traceModel(model, {
    ...weights,
    rows,
    sequences: slots,
    outputRows: slots,
    pages: pagesPerSequence,
    pageSize,
    kvType,
    slots: Object.fromEntries(groups.map(({ group, pages }) => [group.name, pages * pageSize])),
    // by the threads: of thousands of exponentials a token the caller's thread would be as long at work as all of the model
    ofLogits: (logits) => ({ [PROBABILITIES]: softmax(multiply(logits, input(SHARPNESS, [1], "f32"))) }),
  });
}

/** A reply that is being drawn. */
interface Drawing {
  readonly index: number;
  readonly sequence: CachedSequence;
  /** Ids that are known: of the prompt, and those drawn. */
  known: number;
}

/** A program and its inputs. */
interface Runner {
  readonly program: Program;
  readonly batch: RowBatch;
  /** Rows of a run. */
  readonly rows: number;
}

export class Rollouts {
  readonly #layout: Layout;
  readonly #prompt: Runner;
  readonly #decode: Runner;
  readonly #vocabularySize: number;
  readonly #free: CachedSequence[];

  constructor(model: Model, layout: Layout, programs: Readonly<Record<ProgramName, Program>>) {
    const runner = (program: Program, rows: number): Runner => ({
      program,
      batch: new RowBatch(program, model, layout),
      rows,
    });
    this.#layout = layout;
    this.#prompt = runner(programs.rolloutPrompt, layout.chunkRows);
    this.#decode = runner(programs.rolloutDecode, layout.slots);
    this.#vocabularySize = model.vocabularySize;
    const pools = layout.groups.map(({ pages }) => new PagePool(pages));
    this.#free = Array.from({ length: layout.slots }, () => new CachedSequence(layout, pools));
  }

  /** A reply to each prompt. Throws UsageError, ContextLengthError where a prompt leaves no room, AbortError. */
  async draw(prompts: readonly RolloutPrompt[], options: RolloutSettings): Promise<DrawnReply[]> {
    const { window } = this.#layout;
    const asked = prompts.map(({ ids, seed }) => {
      const prompt = checkedIds(ids, this.#vocabularySize);
      checkFits(prompt, window - 1, window);
      return { prompt, seed, end: Math.min(window, prompt.length + options.tokens) };
    });
    const { temperature } = options;
    for (const { program } of [this.#prompt, this.#decode]) {
      program.inputs[SHARPNESS][0] = temperature === 0 ? 1 : 1 / temperature;
    }
    const replies: DrawnReply[] = Array.from(prompts, () => ({ ids: [], ended: false }));
    let drawing: Drawing[] = [];
    const release = ({ sequence }: Drawing): void => {
      sequence.clear();
      this.#free.push(sequence);
    };
    try {
      for (let next = 0; next < asked.length || drawing.length > 0;) {
        while (next < asked.length && this.#free.length > 0) {
          const { prompt } = asked[next];
          const sequence = this.#free.pop()!;
          sequence.ids.set(prompt);
          drawing.push({ index: next++, sequence, known: prompt.length });
        }
        // which program computes a row depends on its phase alone, so that a reply does not depend on others
        const reading = drawing.filter(({ index, sequence }) => sequence.length < asked[index].prompt.length);
        const [runner, list] = reading.length > 0 ? [this.#prompt, reading] : [this.#decode, drawing];
        const reached = await this.#run(runner, list, options.signal);
        const over = new Set<Drawing>();
        for (const [output, one] of reached.entries()) {
          const { prompt, seed, end } = asked[one.index];
          const { ids } = one.sequence;
          const id = this.#choose(
            runner,
            output,
            temperature === 0 ? undefined : uniform(seed, DRAW_STREAM, one.known),
          );
          ids[one.known++] = id;
          const ended = options.endIds.has(id);
          if (!ended && one.known < end) continue;
          replies[one.index] = { ids: [...ids.subarray(prompt.length, one.known)], ended };
          over.add(one);
        }
        for (const one of over) release(one);
        drawing = drawing.filter((one) => !over.has(one));
      }
    } catch (error) {
      for (const one of drawing) release(one);
      throw error;
    }
    return replies;
  }

  /** The first id whose cumulative probability, in order of ids, exceeds u in [0, 1): as Sampler draws. No u: the likeliest. */
  #choose({ program, batch }: Runner, output: number, u: number | undefined): number {
    const size = this.#vocabularySize;
    const row = program.outputs[PROBABILITIES].subarray(output * size, (output + 1) * size);
    if (u === undefined) {
      const logits = batch.logits(output);
      return logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
    }
    let total = 0;
    for (let id = 0; id < size; id++) total += row[id];
    if (!(total > 0)) throw new LiangError("bad_logits", `The probabilities' sum is ${total}, expected 1.`);
    let cumulative = 0;
    for (let id = 0; id < size; id++) {
      cumulative += row[id];
      if (cumulative > u * total) return id;
    }
    return size - 1; // not reached: u * total < total, added in the same order
  }

  /** Runs as many of the ids that are known as a run takes; gives those whose last one it was, in the order of outputs. */
  async #run({ batch, rows }: Runner, drawing: readonly Drawing[], signal?: AbortSignal): Promise<Drawing[]> {
    const reached: Drawing[] = [];
    const counts = new Map<Drawing, number>();
    let room = rows;
    batch.clear();
    for (const one of drawing) {
      const left = one.known - one.sequence.length;
      const count = Math.min(left, room);
      if (count === 0) break;
      one.sequence.reserve(count);
      batch.add(one.sequence, count, count === left ? 1 : 0);
      if (count === left) reached.push(one);
      counts.set(one, count);
      room -= count;
    }
    await batch.run(signal ?? new AbortController().signal);
    for (const [{ sequence }, count] of counts) sequence.advance(count);
    return reached;
  }
}
