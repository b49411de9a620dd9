// The CLI's entry: what is typed runs (command-line.ts) until it ends or somebody ends it. Ctrl-C and SIGTERM abort through one
// AbortSignal; a second one ends the process.
import process from "node:process";
import { isAbort } from "../base/errors.ts";
import { failureOf, runCommandLine } from "./command-line.ts";
import { note } from "./terminal.ts";

const interrupt = new AbortController();
let interruptedCode = 130;
for (const [name, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.on(name, () => {
    if (interrupt.signal.aborted) process.exit(exitCode);
    interruptedCode = exitCode;
    interrupt.abort();
  });
}
// A reader that went away (`liang run … | head`) ends us quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  await runCommandLine(process.argv.slice(2), interrupt.signal);
} catch (error) {
  if (isAbort(error)) process.exitCode = interruptedCode;
  else {
    const { says, exitCode } = failureOf(error);
    note(`liang: ${says}`);
    process.exitCode = exitCode;
  }
}
