// The GGUF file that lies beside a model's folder.
import { convert } from "../convert/index.ts";
import { progressBar } from "./progress-bar.ts";
import { note } from "./terminal.ts";

/** Its path; the folder is whole without it, so what a GGUF file cannot say is told, and no failure. */
export async function writeGguf(folder: string, signal: AbortSignal): Promise<string | undefined> {
  const path = `${folder}/model.gguf`;
  const bar = progressBar();
  try {
    const report = await convert(folder, path, { force: true, signal, onProgress: bar.report });
    for (const line of report.notes) note(line);
    return path;
  } catch (error) {
    signal.throwIfAborted();
    note(`There is no model.gguf: ${(error as Error).message}`);
    return undefined;
  } finally {
    bar.end();
  }
}
