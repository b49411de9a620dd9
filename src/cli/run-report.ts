// Makes a run's report card and keeps it with the run.
import { runReport } from "../eval/report/run-report.ts";
import { openRunReader, runFolder, saveReport } from "../store/index.ts";

/** Gives the card's path. Throws NotFoundError where there is no such run. */
export async function writeReport(root: string, name: string): Promise<string> {
  const reader = openRunReader(root);
  const run = await reader.details(name);
  const { metrics: lines } = await reader.metrics(name);
  return await saveReport(runFolder(root, name), runReport({ run, lines, at: new Date() }));
}
