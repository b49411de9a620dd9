// Liang's side of the comparison (side.ts). Usage: node bench/speed/liang.ts MODEL THREADS WINDOW SEQUENCES
import { createInterface } from "node:readline";
import type { GenerateOptions, ReplyEvent } from "../../src/chat/types.ts";
import { readBandwidth } from "../../src/eval/read-bandwidth.ts";
import { load } from "../../src/index.ts";
import type { Answer, Question, Ready } from "./side.ts";

const [path, threads, window, sequences] = process.argv.slice(2);
await using model = await load(path, { threads: Number(threads), window: Number(window), slots: Number(sequences) });
const { tier, loadMs, bytesPerToken } = model.info;

const say = (answer: Answer | Ready): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

async function generate(
  ids: readonly number[],
  options: GenerateOptions,
  onBegin: () => void = () => {},
): Promise<Extract<ReplyEvent, { type: "end" }>> {
  let end: Extract<ReplyEvent, { type: "end" }> | undefined;
  for await (const event of model.generate(ids, { temperature: 0, ignoreEnd: true, ...options })) {
    if (event.type === "end") end = event;
    else onBegin();
  }
  return end!;
}

async function answer(question: Question): Promise<Answer> {
  const { run } = question;
  switch (run) {
    case "prefill": {
      const { timings } = await generate(question.ids, { maxTokens: 1, reproducible: true });
      return { ms: timings.firstTokenMs };
    }
    case "decode": {
      const { timings } = await generate(question.ids, { maxTokens: question.tokens + 1, reproducible: true });
      return { ms: timings.decodeMs };
    }
    case "deep": {
      const { timings } = await generate(question.ids, { maxTokens: question.tokens + 1 });
      return { ms: timings.decodeMs };
    }
    case "batch": {
      // the last one's tokens, while all others go on
      const stop = new AbortController();
      const options = { maxTokens: Number(window) - question.ids.length, reproducible: true, signal: stop.signal };
      const others = Array.from({ length: Number(sequences) - 1 }, () => {
        const begins = Promise.withResolvers<void>();
        const ends = generate(question.ids, options, begins.resolve).catch(() => undefined);
        return { begins: begins.promise, ends };
      });
      await Promise.all(others.map(({ begins }) => begins));
      const { timings } = await generate(question.ids, { maxTokens: question.tokens + 1, reproducible: true });
      stop.abort();
      await Promise.all(others.map(({ ends }) => ends));
      return { ms: timings.decodeMs };
    }
    case "bandwidth":
      return { gbPerSecond: await readBandwidth(Number(threads)) };
    default:
      return question satisfies never;
  }
}

say({ ready: true, loadMs, tier, bytesPerToken });
for await (const line of createInterface({ input: process.stdin })) say(await answer(JSON.parse(line) as Question));
