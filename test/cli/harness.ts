// Runs the command line as a person's shell would: a process of its own, a data folder of its own, nothing inherited that
// would change what it does. What a command refuses is asked for in the test's own process, which takes a tenth of the time.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { failureOf, runCommandLine } from "../../src/cli/command-line.ts";
import { codeFolder } from "../../src/store/index.ts";

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

/** What a command that does not come to its end says on standard error, and its exit code; `home`: as for `liangIn`. */
export async function refusalIn(home: string, args: readonly string[]): Promise<Omit<Ended, "stdout">> {
  process.env["LIANG_HOME"] = home;
  try {
    await runCommandLine(args, new AbortController().signal);
  } catch (error) {
    const { says, exitCode } = failureOf(error);
    return { code: exitCode, stderr: `liang: ${says}\n` };
  }
  throw new Error(`liang ${args.join(" ")} was not refused`);
}

const NOT_INHERITED = new Set(["NO_COLOR", "FORCE_COLOR", "HF_ENDPOINT", "HF_TOKEN", "NODE_TEST_CONTEXT"]);

/** Where data folders of tests keep machine code: what they run is the same, and emitted once. */
const SHARED_CODE = codeFolder(process.env["LIANG_HOME"] ?? join(ROOT, "node_modules/.cache/liang-test-home"));

function shareCode(home: string): void {
  const own = codeFolder(home);
  if (existsSync(own) || !existsSync(dirname(home))) return;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  mkdirSync(SHARED_CODE, { recursive: true, mode: 0o700 });
  symlinkSync(SHARED_CODE, own, "junction");
}

/** The program with its data in `home`. */
export function liangIn(home: string): Liang {
  shareCode(home);
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
