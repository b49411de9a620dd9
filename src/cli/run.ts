// `liang run`: one prompt in, one reply out, streamed. The prompt is words, --prompt, a file or standard input.
import process from "node:process";
import { text } from "node:stream/consumers";
import { UsageError } from "../base/errors.ts";
import type { ReplyEvent } from "../chat/types.ts";
import { defineCommand } from "./command.ts";
import { openModel } from "./open.ts";
import { readTextFile } from "./read-text.ts";
import { generateOptions, loadOptions, loadingOptions, samplingOptions } from "./sampling.ts";
import { note, outJson, paint, progressBar } from "./terminal.ts";

export const command = defineCommand({
  summary: "Answers one prompt.",
  usage: "MODEL [PROMPT]",
  words: { least: 1, most: 2 },
  options: {
    prompt: { type: "string", short: "p", help: "the prompt" },
    "prompt-file": {
      type: "string",
      short: "f",
      hint: "FILE",
      help: "read the prompt from a file (-: standard input)",
    },
    system: { type: "string", short: "s", help: "system prompt" },
    raw: { type: "boolean", help: "use no chat template: continue the text" },
    json: { type: "boolean", help: "print one JSON document when done" },
    stats: { type: "boolean", help: "say tokens and speed at the end" },
    ...samplingOptions,
    ...loadingOptions,
  },
  notes: ["Prompt and prompt file together: the file comes after. With neither, standard input is read."],
  async run(options, [model, word], signal) {
    const prompt = await readPrompt(options.prompt ?? word, options["prompt-file"]);
    if (options.raw === true && options.system !== undefined) {
      throw new UsageError("--raw uses no template, so --system has no place.", { field: "system" });
    }
    await using loaded = await openModel(model, { ...loadOptions(options), signal });
    const settings = { ...generateOptions(options), signal };
    const system = options.system === undefined ? [] : [{ role: "system" as const, content: options.system }];
    const events = options.raw
      ? loaded.generate(prompt, settings)
      : loaded.chat([...system, { role: "user", content: prompt }], settings);
    const { reply, end } = await stream(events, options.json === true);
    if (options.json) {
      const { ids, promptIds, finishReason, usage, timings, seed } = end;
      outJson({ text: reply, ids, promptIds, finishReason, usage, timings, seed });
    } else {
      process.stdout.write("\n");
      if (options.stats) note(paint("faint", summary(end), process.stderr));
    }
  },
});

export type EndEvent = Extract<ReplyEvent, { type: "end" }>;

/** Writes a reply as it comes (unless quiet), with a bar while the prompt is read. */
export async function stream(
  events: AsyncIterable<ReplyEvent>,
  quiet: boolean,
): Promise<{ reply: string; end: EndEvent }> {
  const bar = progressBar();
  let reply = "";
  let end: EndEvent | undefined;
  try {
    for await (const event of events) {
      if (event.type === "prefill") bar.report({ label: "reading", ...event, unit: "tokens" });
      else if (event.type === "text-start") bar.end();
      else if (event.type === "text-delta") {
        reply += event.text;
        if (!quiet) process.stdout.write(event.text);
      } else if (event.type === "end") end = event;
    }
  } finally {
    bar.end();
  }
  return { reply, end: end! };
}

/** "128 tokens, 14.2 tok/s, first after 0.31 s, prompt 20 (12 cached)". */
export function summary({ usage, timings }: EndEvent): string {
  const cached = usage.cachedTokens > 0 ? ` (${usage.cachedTokens} cached)` : "";
  return `${usage.completionTokens} tokens, ${timings.decodeTokensPerSecond.toFixed(1)} tok/s, first after ${(timings.firstTokenMs / 1000).toFixed(2)} s, prompt ${usage.promptTokens}${cached}`;
}

async function readPrompt(prompt: string | undefined, file: string | undefined): Promise<string> {
  if (prompt === undefined && file === undefined) {
    if (process.stdin.isTTY)
      throw new UsageError("There is no prompt.", { hint: "Give it as a word, --prompt or a pipe." });
    return readPrompt(undefined, "-");
  }
  if (file === undefined) return prompt!;
  const content = file === "-" ? await text(process.stdin) : await readTextFile(file);
  return prompt === undefined ? content : `${prompt}\n\n${content}`;
}
