// A process that trains until somebody kills it: `resume.fixture.ts FOLDER EXECUTOR THREADS EVENTS SETTING...`. It stands still at
// the event after EVENTS of them, so that it cannot end before it is killed, however long that takes.
import process from "node:process";
import { join } from "node:path";
import { openKeepingExecutor } from "../../src/chat/keeping-executor.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { train } from "../../src/train/run.ts";
import { tinyRecipe } from "./tiny-run.ts";

const [folder, executor, threads, events, ...settings] = process.argv.slice(2);
let told = 0;
await using prepared = await prepareRun(tinyRecipe(folder, settings), { threads: Number(threads) });
await train(prepared, {
  executor: await openKeepingExecutor(executor as "cpu" | "reference"),
  checkpoints: join(folder, "killed"),
  resume: true,
  onEvent(event) {
    if (told++ >= Number(events)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    process.stdout.write(`${event.type} ${event.step}\n`);
  },
});
