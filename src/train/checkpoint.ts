// Checkpoints: a folder that other programs open as it is, and in it `train/` with all that a run needs to go on to the
// same bytes as if it had never stopped. A folder is written under another name, to the disk, and then renamed: it is
// there whole or not at all. Not here: when one is written (loop.ts), which stay (`removeOld`'s caller).
import {
  createFileWriter,
  fileFacts,
  joinPath,
  listFolder,
  makeFolder,
  move,
  openFile,
  readText,
  remove,
} from "#platform";
import { FormatError, UsageError, show } from "../base/errors.ts";
import { readSafetensors, writeSafetensors } from "../format/safetensors.ts";
import type { Position } from "./loop.ts";
import { isSum } from "./programs.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainedFiles } from "./trained-files.ts";

type States = Readonly<Record<string, Float32Array>>;

/** train/state.json. */
export interface TrainState {
  readonly version: 1;
  readonly position: Position;
  readonly recipe: Recipe;
  /** TrainingData's. */
  readonly dataHash: string;
  /** What it was computed with; bytes are the same only where these are. */
  readonly executor: string;
  readonly tier: string;
}

export interface CheckpointContent {
  readonly states: States;
  readonly trained: TrainedFiles;
  readonly state: TrainState;
}

const STATE_FILE = "train/state.json";
const STATES_FILE = "train/states.safetensors";
const STATE_BYTES_MAX = 16 * 2 ** 20;
const PART = ".part";

/** What lasts from step to step. */
const isKept = (state: string): boolean => !isSum(state);

/** The folder of the checkpoint after a step; names sort as steps do. */
export const checkpointName = (step: number): string => `step-${String(step).padStart(7, "0")}`;

/** Writes a checkpoint into the folder `parent`, and gives its path. */
export async function saveCheckpoint(parent: string, content: CheckpointContent): Promise<string> {
  const { states, trained, state } = content;
  const folder = joinPath(parent, checkpointName(state.position.step));
  const part = `${folder}${PART}`;
  await remove(part);
  await makeFolder(joinPath(part, "train"));
  await writeTrained(part, trained);
  const kept = Object.entries(states)
    .filter(([name]) => isKept(name))
    .map(([name, values]) => ({
      name,
      dtype: "F32" as const,
      shape: [values.length],
      data: () => [new Uint8Array(values.buffer, values.byteOffset, values.byteLength)],
    }));
  await writeWhole(part, STATES_FILE, (file) => writeSafetensors(file, kept));
  const json = new TextEncoder().encode(`${JSON.stringify(state, null, 2)}\n`);
  await writeWhole(part, STATE_FILE, (file) => file.append(json));
  await remove(folder); // of the same step, should it be there: the same content
  await move(part, folder);
  return folder;
}

/** Writes what other programs open into a folder that is there. */
export async function writeTrained(folder: string, { weights, files }: TrainedFiles): Promise<void> {
  for (const [name, tensors] of weights) {
    await writeWhole(folder, name, (file) => writeSafetensors(file, tensors, { format: "pt" }));
  }
  for (const [name, bytes] of files) await writeWhole(folder, name, (file) => file.append(bytes));
}

type Writer = Awaited<ReturnType<typeof createFileWriter>>;

async function writeWhole(folder: string, name: string, write: (file: Writer) => Promise<void>): Promise<void> {
  await using file = await createFileWriter(joinPath(folder, name));
  await write(file);
  await file.finish();
}

/** The checkpoints in a folder, the oldest first; what a killed process left half written is removed. */
export async function listCheckpoints(parent: string): Promise<string[]> {
  if ((await fileFacts(parent)) === undefined) return [];
  const whole: string[] = [];
  for (const { name, kind } of await listFolder(parent)) {
    if (kind !== "folder" || !name.startsWith("step-")) continue;
    const path = joinPath(parent, name);
    if (name.endsWith(PART)) await remove(path);
    else whole.push(path);
  }
  return whole;
}

/** Removes all but the last `keep` checkpoints; 0: none. */
export async function removeOld(parent: string, keep: number): Promise<void> {
  if (keep === 0) return;
  for (const path of (await listCheckpoints(parent)).slice(0, -keep)) await remove(path);
}

/** Throws FormatError for what is no checkpoint of training. */
export async function readTrainState(checkpoint: string): Promise<TrainState> {
  const path = joinPath(checkpoint, STATE_FILE);
  const text = await readText(path, STATE_BYTES_MAX);
  let state: TrainState;
  try {
    state = JSON.parse(text) as TrainState;
  } catch (cause) {
    throw new FormatError(path, "content", text.slice(0, 40), "JSON", { cause });
  }
  if (state.version !== 1) throw new FormatError(path, "version", state.version, "1");
  return state;
}

/** Fills the states that last. Throws FormatError where the checkpoint has others. */
export async function readStates(checkpoint: string, states: States): Promise<void> {
  const path = joinPath(checkpoint, STATES_FILE);
  const file = await openFile(path);
  try {
    const { tensors } = await readSafetensors(file);
    const names = Object.keys(states).filter(isKept);
    if (tensors.size !== names.length) throw new FormatError(path, "tensors", tensors.size, `${names.length} states`);
    for (const name of names) {
      const values = states[name];
      const tensor = tensors.get(name);
      if (tensor?.dtype !== "F32" || tensor.byteLength !== values.byteLength) {
        const found = tensor === undefined ? "missing" : `${tensor.dtype} ${show([...tensor.shape])}`;
        throw new FormatError(path, `state ${name}`, found, `F32 [${values.length}]`);
      }
      await file.read(tensor.offset, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  } finally {
    await file.close();
  }
}

/** Fields that only say what is written down on the way: a run may go on with others. */
const ASIDE: readonly string[] = ["checkpoint", "probes", "samples", "validate"] satisfies (keyof Recipe)[];

/** Throws UsageError where the recipe or the data are not those that a checkpoint was made with. */
export function checkSameRun(state: TrainState, recipe: Recipe, dataHash: string): void {
  const [before, now] = [flat(state.recipe), flat(recipe)];
  const changed = [...new Set([...before.keys(), ...now.keys()])].filter(
    (field) => !ASIDE.includes(field.split(".")[0]) && before.get(field) !== now.get(field),
  );
  if (changed.length > 0) {
    const [field] = changed;
    const more = changed.length > 1 ? ` (and ${changed.length - 1} more fields)` : "";
    throw new UsageError(
      `The run was begun with ${field} ${before.get(field) ?? "left out"}, now it is ${now.get(field) ?? "left out"}${more}.`,
      { field, hint: "Go on with the run's own recipe, or begin another run with --name." },
    );
  }
  if (state.dataHash !== dataHash) {
    throw new UsageError("The data is not what it was when the run was begun.", {
      field: "data",
      hint: "Prepare it as it was, or begin another run with --name.",
    });
  }
}

/** Every value inside by its path, as JSON. */
function flat(value: unknown, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null) return new Map([[path, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .flatMap(([key, inner]) => [...flat(inner, path === "" ? key : `${path}.${key}`)]),
  );
}
