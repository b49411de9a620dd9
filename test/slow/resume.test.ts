// Runs that are killed again and again.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { killedRuns } from "../train/killed-runs.ts";
import { prepareTinyData } from "../train/tiny-run.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-slow-resume-"));
after(() => rm(folder, { recursive: true }));
await prepareTinyData(folder);

killedRuns(folder, {
  texts: { steps: 60, kills: 7, most: 15 },
  pairs: { steps: 40, kills: 4, most: 14 },
  answers: { steps: 30, kills: 4, most: 14 },
});
