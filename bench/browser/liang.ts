// Liang's side of bench/browser.ts, a worker: loads the model from a file, then answers each question by writing greedily.
import { type LanguageModel, load } from "../../src/browser.ts";
import { currentWorker } from "#platform";

interface Question {
  readonly text: string;
  readonly tokens: number;
}

const page = currentWorker()!;

async function open(): Promise<LanguageModel> {
  const { file, threads } = page.data as { file: File; threads: number };
  const startMs = performance.now();
  const model = await load(file, { threads, window: 1024, slots: 1 });
  const { tier, threads: used } = model.info;
  page.post({ loadMs: performance.now() - startMs, what: `${tier}, ${used} threads` });
  return model;
}

async function answer(model: LanguageModel, { text, tokens }: Question): Promise<void> {
  const options = { temperature: 0, maxTokens: tokens, ignoreEnd: true, reproducible: true };
  for await (const event of model.generate(text, options)) {
    if (event.type !== "end") continue;
    const { prefillMs, decodeMs } = event.timings;
    const { promptTokens, completionTokens } = event.usage;
    // the first token is the prompt's
    page.post({ promptTokens, prefillMs, decodeTokens: completionTokens - 1, decodeMs });
  }
}

const fail = (error: unknown): void => page.post({ error: String(error) });
try {
  const model = await open();
  page.onMessage((question) => void answer(model, question as Question).catch(fail));
} catch (error) {
  fail(error);
}
