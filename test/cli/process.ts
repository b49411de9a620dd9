// Runs the command line as a person's shell would: a process of its own, a data folder of its own, nothing inherited that
// would change what it does.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";

export const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "src/cli/main.ts");
// as the `liang` script has it: each start takes a third of the time
const COMPILE_CACHE = join(ROOT, "node_modules/.cache/node");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Liang {
  /** Starts it and leaves it running. */
  start(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcessWithoutNullStreams;
  /** Runs it to its end, with `input` on standard input. */
  run(args: readonly string[], options?: { input?: string; env?: NodeJS.ProcessEnv }): Promise<Ended>;
}

const NOT_INHERITED = new Set(["NO_COLOR", "FORCE_COLOR", "HF_ENDPOINT", "HF_TOKEN", "NODE_TEST_CONTEXT"]);

/** The program with its data in `home`. */
export function processIn(home: string): Liang {
  const rest = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.has(name)));
  const start: Liang["start"] = (args, env = {}) =>
    spawn(process.execPath, ["--no-warnings=ExperimentalWarning", MAIN, ...args], {
      cwd: ROOT,
      env: { ...rest, NODE_COMPILE_CACHE: COMPILE_CACHE, LIANG_HOME: home, ...env },
    });
  return {
    start,
    async run(args, { input = "", env } = {}) {
      const child = start(args, env);
      child.stdin.on("error", () => undefined); // a command that reads no input may end first
      child.stdin.end(input);
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close") as Promise<[number | null]>,
      ]);
      return { code, stdout, stderr };
    },
  };
}
