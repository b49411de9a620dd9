// The command line: picks a command from the table, loads only its file, runs it, and turns errors into one sentence and an
// exit code. Not here: signals and the process (main.ts).
import process from "node:process";
import { LiangError, UsageError } from "../base/errors.ts";
import { type Command, helpOf, parseWords, table } from "./command.ts";
import { version } from "./version.ts";

type Load = () => Promise<{ readonly command: Command }>;
const as = (loading: Promise<{ readonly command: unknown }>): ReturnType<Load> =>
  loading as Promise<{ readonly command: Command }>;

/** One row a command: a summary for the list, and its file. */
const COMMANDS: Readonly<Record<string, readonly [summary: string, load: Load]>> = {
  start: ["open the chat page (what `npm start` does)", () => as(import("./start.ts"))],
  run: ["answer one prompt", () => as(import("./run.ts"))],
  chat: ["talk in the terminal", () => as(import("./chat.ts"))],
  serve: ["serve the page and an OpenAI-compatible API", () => as(import("./serve.ts"))],
  pull: ["fetch a model from a hub", () => as(import("./pull.ts"))],
  list: ["list the models you have", () => as(import("./list.ts"))],
  add: ["add a model file, used in place", () => as(import("./add.ts"))],
  rm: ["remove a model from the list", () => as(import("./rm.ts"))],
  show: ["what is in a model file, and will it fit", () => as(import("./show.ts"))],
  convert: ["convert between HF folders, GGUF and llama2.c files", () => as(import("./convert.ts"))],
  quantize: ["make a smaller file of a model, and see its cost", () => as(import("./quantize.ts"))],
  tokenize: ["text to ids and back; the exact prompt", () => as(import("./tokenize.ts"))],
  tokenizer: ["train a tokenizer; what one does to texts", () => as(import("./tokenizer.ts"))],
  inspect: ["logits of ids, values of a tensor", () => as(import("./inspect.ts"))],
  embed: ["vectors of texts and pictures", () => as(import("./embed.ts"))],
  classify: ["what pictures show", () => as(import("./classify.ts"))],
  rerank: ["documents in order, the best answer first", () => as(import("./rerank.ts"))],
  eval: ["measure a model on a text", () => as(import("./eval.ts"))],
  data: ["prepare data for training, show what is in it", () => as(import("./data.ts"))],
  train: ["train a model by a recipe", () => as(import("./train.ts"))],
  merge: ["fold an adapter into its model", () => as(import("./merge.ts"))],
  correct: ["make a model better by marks on its replies", () => as(import("./correct.ts"))],
  runs: ["list and compare runs of training", () => as(import("./runs.ts"))],
  bench: ["measure speed on this machine", () => as(import("./bench.ts"))],
  doctor: ["what this machine can do, and what of it is used", () => as(import("./doctor.ts"))],
};

function overview(): string {
  const rows = Object.entries(COMMANDS).map(([name, [summary]]) => `  ${table(name, summary, 12)}`);
  return [
    "Liang 量 runs language models on your own computer.",
    "",
    "usage: liang COMMAND [options]",
    "",
    ...rows,
    "",
    "liang COMMAND --help tells more. MODEL is a name from `liang list`, a GGUF file",
    "or a folder.",
  ].join("\n");
}

/** Runs what the words after `liang` ask for; rejects as the command does. */
export async function runCommandLine(args: readonly string[], signal: AbortSignal): Promise<void> {
  const [name, ...rest] = args;
  if (name === "help" && rest.length === 1) {
    await runCommandLine([rest[0], "--help"], signal);
    return;
  }
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(`${overview()}\n`);
    return;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${await version()}\n`);
    return;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(`There is no command ${JSON.stringify(name)}.`, { hint: "liang --help lists them." });
  }
  const { command } = await COMMANDS[name][1]();
  const end = rest.indexOf("--");
  if (rest.slice(0, end < 0 ? undefined : end).some((word) => word === "--help" || word === "-h")) {
    process.stdout.write(`${helpOf(name, command)}\n`);
    return;
  }
  const { options, words } = parseWords(command, rest);
  try {
    await command.run(options, words, signal);
  } catch (error) {
    throw asOption(error, command);
  }
}

/** The door names its options "maxTokens"; whoever typed --max-tokens is told of that. */
function asOption(error: unknown, { options }: Command): unknown {
  if (!(error instanceof UsageError) || error.field === undefined) return error;
  const { field, message } = error;
  const option = field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (!Object.hasOwn(options, option) || !message.startsWith(`${field} is `)) return error;
  return new UsageError(`--${option}${message.slice(field.length)}`, { field: option, cause: error });
}

/** What the system says, as a sentence: "EROFS: read-only file system, open '/x'" -> "read-only file system, open '/x'". */
function systemMessage(error: unknown): string | undefined {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (typeof code !== "string" || typeof syscall !== "string") return undefined;
  return `The system refuses: ${message.replace(`${code}: `, "")}.`;
}

/** What a person is told of an error, and the exit code. */
export function failureOf(error: unknown): { readonly says: string; readonly exitCode: number } {
  const message = error instanceof LiangError ? error.message : systemMessage(error);
  if (message !== undefined) return { says: message, exitCode: error instanceof LiangError ? error.exitCode : 1 };
  const EX_SOFTWARE = 70;
  return {
    says: `a defect, please report it: ${(error as Error).stack ?? String(error)}`,
    exitCode: EX_SOFTWARE,
  };
}
