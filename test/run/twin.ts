// Runs run.ts as a learner would, and the engine on the same file, for tests that hold the two equal.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { load } from "../../src/chat/load.ts";

const root = join(import.meta.dirname, "../..");

/** What run.ts prints. */
export async function runTwin(...args: readonly string[]): Promise<string> {
  const options = { cwd: root, maxBuffer: 2 ** 24 };
  const { stdout } = await promisify(execFile)(process.execPath, ["run.ts", ...args], options);
  return stdout;
}

export interface Greedy {
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
}

export async function twinIds(model: string, prompt: string, maxTokens: number): Promise<Greedy> {
  return JSON.parse(await runTwin(model, prompt, "--json", "--max-tokens", String(maxTokens))) as Greedy;
}

/** The engine's greedy ids of each prompt, nothing rounded. */
export async function engineIds(model: string, prompts: readonly string[], maxTokens: number): Promise<Greedy[]> {
  await using loaded = await load(model, { precision: "f32", kvType: "f32" });
  const found: Greedy[] = [];
  for (const prompt of prompts) {
    for await (const event of loaded.generate(prompt, { temperature: 0, maxTokens })) {
      if (event.type === "end") found.push({ promptIds: event.promptIds, ids: event.ids });
    }
  }
  return found;
}
