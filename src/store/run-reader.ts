// What an onlooker sees of runs while others train them: how far they are, what was measured since one last looked, which
// checkpoints there are. Reads alone, so any number may look. Not here: who writes a run's folder (runs.ts).
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { FormatError, NotFoundError } from "../base/errors.ts";
import { errorCode, isHeld } from "./lock-file.ts";
import { type RunCheckpoint, listCheckpoints } from "./run-checkpoints.ts";
import { type RunLine, type RunLineOf, heldOutLoss } from "./run-lines.ts";
import {
  type RunFacts,
  type RunFolder,
  LOCK_FILE,
  METRICS_FILE,
  listRuns,
  readDataCard,
  readRunFacts,
  readRunRecipe,
  runFolder,
} from "./runs.ts";

/** "stopped": neither trained now nor at its last step. */
export type RunState = "running" | "done" | "stopped";

export interface RunOverview {
  readonly facts: RunFacts;
  readonly state: RunState;
  readonly step: number;
  /** Mean of the last steps' losses in nats a target; null before the first step. */
  readonly loss: number | null;
  /** Of what is held out, at the newest look; of texts nats a token. */
  readonly validation: number | null;
  /** Of the last steps; null before the first one. */
  readonly tokensPerSecond: number | null;
  /** Tokens read in all steps. */
  readonly tokens: number;
  /** Time of all steps, without looks, samples and saving. */
  readonly trainedMs: number;
  /** Of the steps that are left, at the speed of the last ones; null where it is not known or nothing is left. */
  readonly leftMs: number | null;
  /** When it last wrote something, in milliseconds since 1970. */
  readonly changedAt: number;
}

export interface RunDetails extends RunOverview {
  readonly recipe: Readonly<Record<string, unknown>>;
  /** The data card that lay with the data when the run began; null for a run that kept none. */
  readonly data: Readonly<Record<string, unknown>> | null;
  /** The oldest first. */
  readonly checkpoints: readonly RunCheckpoint[];
}

export interface MetricsPart {
  readonly metrics: readonly RunLine[];
  /** Give it as `after` to get what came later. */
  readonly next: string;
  /** These are all there are: nothing was read before, or what was holds no longer, for the run went on from an earlier step. */
  readonly isWhole: boolean;
}

export interface RunReader {
  /** All runs that have begun, the newest first. */
  list(): Promise<RunOverview[]>;
  /** Throws NotFoundError, and UsageError for what is no run's name. */
  details(name: string): Promise<RunDetails>;
  /** What was measured after `after`, a `next` given earlier; without it, all. Throws as `details`. */
  metrics(name: string, after?: string): Promise<MetricsPart>;
}

/** How many of the last steps loss and speed are the mean of. */
const RECENT = 20;

/** What a run's lines say together, so that a look reads only the new ones. */
interface Tally {
  next: string;
  step: number;
  tokens: number;
  trainedMs: number;
  validation: number | null;
  recent: RunLineOf<"step">[];
}

const emptyTally = (): Tally => ({ next: "", step: 0, tokens: 0, trainedMs: 0, validation: null, recent: [] });

/** Reads the runs in `root` (`runsFolder`). */
export function openRunReader(root: string): RunReader {
  const tallies = new Map<string, Tally>();

  async function tallyOf(folder: RunFolder): Promise<Tally> {
    const known = tallies.get(folder.name);
    const part = await readMetricsAfter(folder, known?.next);
    const tally = part.isWhole || known === undefined ? emptyTally() : known;
    for (const metric of part.metrics) count(tally, metric);
    tally.next = part.next;
    tallies.set(folder.name, tally);
    return tally;
  }

  async function overview(folder: RunFolder, facts: RunFacts): Promise<RunOverview> {
    const { step, tokens, trainedMs, validation, recent } = await tallyOf(folder);
    const changed = await stat(join(folder.path, METRICS_FILE)).catch(() => undefined);
    const isRunning = await isHeld(join(folder.path, LOCK_FILE));
    const mean = (of: "loss" | "tokens" | "ms"): number =>
      recent.reduce((sum, one) => sum + one[of], 0) / recent.length;
    const state = step >= facts.steps ? "done" : isRunning ? "running" : "stopped";
    const isKnown = recent.length > 0;
    return {
      facts,
      state,
      step,
      tokens,
      trainedMs,
      validation,
      loss: isKnown ? mean("loss") : null,
      tokensPerSecond: isKnown ? (1000 * mean("tokens")) / mean("ms") : null,
      leftMs: isKnown && step < facts.steps ? (facts.steps - step) * mean("ms") : null,
      changedAt: changed?.mtimeMs ?? Date.parse(facts.startedAt),
    };
  }

  return {
    async list() {
      const found: RunOverview[] = [];
      for (const name of await listRuns(root)) {
        const folder = runFolder(root, name);
        const facts = await readRunFacts(folder);
        if (facts !== undefined) found.push(await overview(folder, facts));
      }
      return found.sort((a, b) => b.facts.startedAt.localeCompare(a.facts.startedAt));
    },

    async details(name) {
      const folder = runFolder(root, name);
      const facts = await existing(folder);
      return {
        ...(await overview(folder, facts)),
        recipe: await readRunRecipe(folder),
        data: (await readDataCard(folder)) ?? null,
        checkpoints: await listCheckpoints(folder),
      };
    },

    async metrics(name, after) {
      const folder = runFolder(root, name);
      await existing(folder);
      return readMetricsAfter(folder, after);
    },
  };
}

async function existing(folder: RunFolder): Promise<RunFacts> {
  const facts = await readRunFacts(folder);
  if (facts === undefined) {
    throw new NotFoundError(`There is no run ${folder.name}.`, { hint: "liang runs lists them." });
  }
  return facts;
}

function count(tally: Tally, line: RunLine): void {
  tally.step = Math.max(tally.step, line.step);
  if (line.type === "validation") tally.validation = heldOutLoss(line);
  if (line.type !== "step") return;
  tally.tokens += line.tokens;
  tally.trainedMs += line.ms;
  tally.recent.push(line);
  if (tally.recent.length > RECENT) tally.recent.shift();
}

/**
 * Whole lines of metrics.jsonl from where `after` says; a line that is still being written comes next time. `after` names
 * the file besides the place in it: a run that goes on writes another file in its place, which is then read from its start.
 */
export async function readMetricsAfter(folder: RunFolder, after?: string): Promise<MetricsPart> {
  const path = join(folder.path, METRICS_FILE);
  const file = await open(path).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return { metrics: [], next: "", isWhole: true };
  try {
    const { ino, birthtimeMs, size } = await file.stat();
    const identity = `${ino}-${Math.round(birthtimeMs)}`;
    const [before, place] = (after ?? "").split(".");
    const offset = Number(place);
    const goesOn = before === identity && Number.isSafeInteger(offset) && offset >= 0 && offset <= size;
    const start = goesOn ? offset : 0;
    const bytes = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    const end = bytes.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
    const lines = bytes.toString("utf8", 0, end).split("\n").slice(0, -1);
    return {
      metrics: lines.map((line, i) => parseLine(path, line, i)),
      next: `${identity}.${start + end}`,
      isWhole: !goesOn,
    };
  } finally {
    await file.close();
  }
}

function parseLine(path: string, line: string, index: number): RunLine {
  try {
    return JSON.parse(line) as RunLine;
  } catch (cause) {
    throw new FormatError(path, `line ${index + 1} of those read`, line, "JSON", { cause });
  }
}
