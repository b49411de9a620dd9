// The command line of tests: processes whose data folders share machine code, and what a command refuses, asked for in the
// test's own process, which takes a tenth of the time.
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { failureOf, runCommandLine } from "../../src/cli/command-line.ts";
import { codeFolder } from "../../src/store/index.ts";
import { type Ended, type Liang, ROOT, processIn } from "./process.ts";

export { type Ended, type Liang, ROOT };

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
  return processIn(home);
}
