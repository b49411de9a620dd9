// Runs of training, a folder each in the data folder: run.json (what it is), recipe.json, metrics.jsonl (a line for what
// happened), checkpoints/. Not here: what a recipe or a checkpoint holds (train/).
import { appendFileSync } from "node:fs";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type MachineFacts, createFileWriter } from "#platform";
import { FormatError, LiangError, NotFoundError, UsageError } from "../base/errors.ts";
import { errorCode, holdLock } from "./lock-file.ts";

/** run.json. */
export interface RunFacts {
  readonly version: 1;
  readonly name: string;
  readonly stage: string;
  readonly startedAt: string;
  /** Version of the program, and the commit where it runs from a clone. */
  readonly code: { readonly version: string; readonly commit?: string };
  readonly dataHash: string;
  readonly parameters: number;
  readonly steps: number;
  readonly executor: string;
  readonly tier: string;
  readonly precision: string;
  /** Operations of all its steps. These two are missing of runs that older programs began. */
  readonly flops?: number;
  readonly machine?: Pick<MachineFacts, "cpu" | "cores" | "os" | "architecture" | "memoryTotalBytes">;
}

/** A line of metrics.jsonl. */
export interface Metric {
  readonly type: string;
  readonly step: number;
}

export interface RunFolder {
  readonly name: string;
  readonly path: string;
  /** Where its checkpoints are. */
  readonly checkpoints: string;
}

/** A run that this process has for itself. One owner; disposing lets go of it. */
export interface OwnRun extends RunFolder, AsyncDisposable {
  /** run.json, recipe.json and the data's card, which a run that goes on writes again. */
  describe(facts: RunFacts, recipe: object, dataCard?: object): Promise<void>;
  /** Forgets what was measured after `step`: the run goes on from there. */
  rewind(step: number): Promise<void>;
  record(metric: Metric): void;
}

export const METRICS_FILE = "metrics.jsonl";
/** Touched as long as a process trains there. */
export const LOCK_FILE = "run.lock";
const DATA_FILE = "data.json";
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u;

export const runsFolder = (dataFolder: string): string => join(dataFolder, "runs");

/** Where a run of that name is, or would be. Throws UsageError for what is no name of a folder. */
export function runFolder(root: string, name: string): RunFolder {
  if (!NAME.test(name)) {
    throw new UsageError(`The run's name is ${JSON.stringify(name)}, expected letters, digits, and . _ - inside.`, {
      field: "name",
    });
  }
  const path = join(root, name);
  return { name, path, checkpoints: join(path, "checkpoints") };
}

/** Takes a run's folder, making it where there is none. Throws LiangError "locked" while another process trains there. */
export async function ownRun(root: string, name: string, signal?: AbortSignal): Promise<OwnRun> {
  const folder = runFolder(root, name);
  await mkdir(folder.checkpoints, { recursive: true });
  const lock = await holdLock(join(folder.path, LOCK_FILE), signal);
  if (lock === undefined) {
    throw new LiangError("locked", `The run ${name} is trained by another process.`, {
      hint: "Wait for it, or take another --name.",
    });
  }
  const metrics = join(folder.path, METRICS_FILE);
  return {
    ...folder,
    async describe(facts, recipe, dataCard) {
      if (dataCard !== undefined) {
        await writeText(join(folder.path, DATA_FILE), `${JSON.stringify(dataCard, null, 2)}\n`);
      }
      await writeText(join(folder.path, "recipe.json"), `${JSON.stringify(recipe, null, 2)}\n`);
      await writeText(join(folder.path, "run.json"), `${JSON.stringify(facts, null, 2)}\n`);
    },
    async rewind(step) {
      const kept = (await readMetrics(folder)).filter((metric) => metric.step <= step);
      await writeText(metrics, kept.map((metric) => `${JSON.stringify(metric)}\n`).join(""));
    },
    record: (metric) => appendFileSync(metrics, `${JSON.stringify(metric)}\n`),
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  };
}

/** Names of all runs, sorted; folders that a person put there under other names are none. */
export async function listRuns(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() && NAME.test(entry.name) ? [entry.name] : [])).sort();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Keeps a run's report card beside what it tells of, and gives its path. */
export async function saveReport(folder: RunFolder, html: string): Promise<string> {
  const path = join(folder.path, "report.html");
  await writeText(path, html);
  return path;
}

/** run.json; undefined for a run that has not begun. */
export async function readRunFacts(folder: RunFolder): Promise<RunFacts | undefined> {
  return (await readJson(join(folder.path, "run.json"))) as RunFacts | undefined;
}

/** recipe.json. Throws NotFoundError. */
export async function readRunRecipe(folder: RunFolder): Promise<Readonly<Record<string, unknown>>> {
  const recipe = await readJson(join(folder.path, "recipe.json"));
  if (recipe !== undefined) return recipe as Record<string, unknown>;
  throw new NotFoundError(`There is no run ${folder.name}.`, { hint: "liang runs lists them." });
}

/** The card of the data that it learns from; undefined for a run that kept none. */
export async function readDataCard(folder: RunFolder): Promise<Readonly<Record<string, unknown>> | undefined> {
  return (await readJson(join(folder.path, DATA_FILE))) as Record<string, unknown> | undefined;
}

/** What was measured, in order. The last line may be half: a process that was killed wrote it, and it is left out. */
export async function readMetrics(folder: RunFolder): Promise<Metric[]> {
  const path = join(folder.path, METRICS_FILE);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line, i) => {
    try {
      return JSON.parse(line) as Metric;
    } catch (cause) {
      throw new FormatError(path, `line ${i + 1}`, line, "JSON", { cause });
    }
  });
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new FormatError(path, "content", text.slice(0, 40), "JSON", { cause });
  }
}

async function writeText(path: string, text: string): Promise<void> {
  await using file = await createFileWriter(path);
  await file.append(new TextEncoder().encode(text));
  await file.finish();
}
