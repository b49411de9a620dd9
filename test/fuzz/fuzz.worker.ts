// Runs the mutants of one target in a thread of its own, so that one that never ends can be seen and stopped.
import { LiangError } from "../../src/base/errors.ts";
import { currentWorker } from "#platform";
import { drawsOf, mutate } from "./mutate.ts";
import { targets } from "./targets.ts";

export interface FuzzTask {
  /** Place in `targets`. */
  readonly target: number;
  readonly seed: number;
  readonly mutants: number;
  /** What a mutant may take beyond what was taken before it. */
  readonly bytesMax: number;
  /** Of this thread's own work: other work on the machine does not count. */
  readonly millisecondsMax: number;
  /** [0]: the mutant at work. */
  readonly progress: Int32Array;
}

export interface FuzzOutcome {
  accepted: number;
  refused: number;
  /** The first mutant that did what none may do. */
  failure?: string;
}

async function fuzz({ target, seed, mutants, bytesMax, millisecondsMax, progress }: FuzzTask): Promise<FuzzOutcome> {
  const { seeds, parse } = targets[target];
  const outcome: FuzzOutcome = { accepted: 0, refused: 0 };
  for (let mutant = 0; mutant < mutants && outcome.failure === undefined; mutant++) {
    Atomics.store(progress, 0, mutant);
    const draws = drawsOf(seed + target, mutant);
    const bytes = mutate(seeds[draws.below(seeds.length)], seeds[draws.below(seeds.length)], draws);
    const memory = allocated();
    const start = process.threadCpuUsage();
    try {
      await parse(bytes);
      outcome.accepted++;
    } catch (error) {
      outcome.refused++;
      if (!(error instanceof LiangError)) outcome.failure = error instanceof Error ? error.stack : String(error);
    }
    const { user, system } = process.threadCpuUsage(start);
    const milliseconds = (user + system) / 1000;
    if (milliseconds > millisecondsMax) outcome.failure ??= `took ${milliseconds} ms`;
    const grown = allocated() - memory;
    if (grown > bytesMax) outcome.failure ??= `took ${grown} bytes`;
    if (outcome.failure !== undefined) outcome.failure = `mutant ${mutant}: ${outcome.failure}`;
  }
  return outcome;
}

/** Bytes of heap and buffers, whether in use or not yet collected. */
function allocated(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const worker = currentWorker();
if (worker !== undefined) worker.post(await fuzz(worker.data as FuzzTask));
