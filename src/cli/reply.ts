// What `run` and `chat` share: a reply streamed to the terminal, and what is said about it afterwards.
import process from "node:process";
import type { ReplyEvent } from "../chat/types.ts";
import { progressBar } from "./progress-bar.ts";
import { duration, note, paint } from "./terminal.ts";

export type EndEvent = Extract<ReplyEvent, { type: "end" }>;

/** Gives a reply's text to `show` as it comes, with a bar while the prompt is read. */
export async function stream(
  events: AsyncIterable<ReplyEvent>,
  show: (text: string) => void,
): Promise<{ reply: string; end: EndEvent }> {
  const bar = progressBar();
  let reply = "";
  let end: EndEvent | undefined;
  try {
    for await (const event of events) {
      if (event.type === "prefill") {
        bar.report({ label: "reading", done: event.done, total: event.total, unit: "tokens" });
      } else if (event.type === "text-start") bar.end();
      else if (event.type === "text-delta") {
        reply += event.text;
        show(event.text);
      } else if (event.type === "end") end = event;
    }
  } finally {
    bar.end();
  }
  return { reply, end: end! };
}

/** "128 tokens, 14.2 tok/s, first after 0.31 s, prompt 20 (12 cached)". */
export function summary({ usage, timings }: EndEvent): string {
  const { promptTokens, cachedTokens, completionTokens } = usage;
  const cached = cachedTokens > 0 ? ` (${cachedTokens} cached)` : "";
  const speed = `${timings.decodeTokensPerSecond.toFixed(1)} tok/s`;
  return `${completionTokens} tokens, ${speed}, first after ${duration(timings.firstTokenMs)}, prompt ${promptTokens}${cached}`;
}

/** Says it when a reply ended because the window is full, not because the model or the caller ended it. */
export function cutNote({ finishReason, usage }: EndEvent, window: number): void {
  if (finishReason !== "length" || usage.promptTokens + usage.completionTokens < window) return;
  note(paint("faint", `The window of ${window} tokens is full; --window makes it larger.`, process.stderr));
}
