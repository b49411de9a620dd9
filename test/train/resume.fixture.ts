// A process that trains until somebody kills it: `resume.fixture.ts FOLDER EXECUTOR THREADS SETTING...`.
import process from "node:process";
import { join } from "node:path";
import { openExecutor } from "../../src/chat/executors.ts";
import { prepareRun } from "../../src/train/prepared-run.ts";
import { train } from "../../src/train/run.ts";
import { tinyRecipe } from "./tiny-run.ts";

const [folder, executor, threads, ...settings] = process.argv.slice(2);
await using prepared = await prepareRun(tinyRecipe(folder, settings), { threads: Number(threads) });
await train(prepared, {
  executor: await openExecutor(executor as "cpu" | "reference"),
  checkpoints: join(folder, "killed"),
  resume: true,
  onEvent: (event) => process.stdout.write(`${event.type} ${event.step}\n`),
});
