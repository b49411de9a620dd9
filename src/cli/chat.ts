// `liang chat`: a conversation in the terminal. Reads lines, streams replies; Ctrl-C stops the reply, not the program.
// Works from a pipe too: one message a line.
import process from "node:process";
import { createInterface } from "node:readline";
import { LiangError, isAbort } from "../base/errors.ts";
import type { LanguageModel } from "../chat/types.ts";
import { ChatSession } from "./chat-session.ts";
import { defineCommand } from "./command.ts";
import { openModel } from "./open.ts";
import { type EndEvent, stream, summary } from "./run.ts";
import { generateOptions, loadOptions, loadingOptions, samplingOptions } from "./sampling.ts";
import { note, out, paint } from "./terminal.ts";

export const command = defineCommand({
  summary: "Talks with a model in the terminal.",
  usage: "[MODEL]",
  words: { least: 0, most: 1 },
  options: {
    system: { type: "string", short: "s", help: "system prompt" },
    ...samplingOptions,
    ...loadingOptions,
  },
  notes: ["Without MODEL it is the built-in one. In the chat, /help lists what you can do."],
  async run(options, [model = "built-in"], signal) {
    await using loaded = await openModel(model, { ...loadOptions(options), signal });
    const { name, window } = loaded.info;
    out(`${paint("strong", name)} ${paint("faint", `${window} tokens, /help for commands`)}`);
    await talk(loaded, new ChatSession(name, generateOptions(options), options.system), options.stop);
  },
});

async function talk(model: LanguageModel, session: ChatSession, stop: readonly string[] | undefined): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: process.stdin.isTTY });
  const prompt = process.stdin.isTTY ? paint("accent", "› ") : "";
  let reply: AbortController | undefined;
  let last: EndEvent | undefined;
  // In a terminal readline reads Ctrl-C itself; the program's own handler serves while a model loads.
  lines.on("SIGINT", () => {
    if (reply === undefined) lines.close();
    else reply.abort();
  });
  lines.setPrompt(prompt);
  lines.prompt();
  for await (const line of messages(lines)) {
    const before = [...session.messages];
    try {
      const outcome = await session.take(line);
      if (outcome.do === "leave") break;
      if (outcome.do === "show") out(paint("faint", outcome.text));
      else if (outcome.do === "stats") out(paint("faint", last === undefined ? "no reply yet" : summary(last)));
      else {
        reply = new AbortController();
        last = (await answer(model, session, stop, reply.signal)) ?? last;
      }
    } catch (error) {
      if (!(error instanceof LiangError)) throw error;
      session.messages = before;
      note(error.message);
    } finally {
      reply = undefined;
    }
    lines.setPrompt(prompt);
    lines.prompt();
  }
  lines.close();
}

/** Streams one reply into the session; a stopped one keeps what came. */
async function answer(
  model: LanguageModel,
  session: ChatSession,
  stop: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<EndEvent | undefined> {
  let text = "";
  const events = model.chat(session.messages, { ...session.settings, stop, signal });
  try {
    const { end } = await stream(
      (async function* watch() {
        for await (const event of events) {
          if (event.type === "text-delta") text += event.text;
          yield event;
        }
      })(),
      false,
    );
    return end;
  } catch (error) {
    if (!isAbort(error)) throw error;
    return undefined;
  } finally {
    if (text !== "") session.replied(text);
    process.stdout.write("\n\n");
  }
}

/** Messages as the person ends them: a line, or all lines between two of `"""`. Empty lines are passed over. */
async function* messages(lines: AsyncIterable<string> & { setPrompt(text: string): void; prompt(): void }) {
  let block: string[] | undefined;
  for await (const line of lines) {
    if (block === undefined && line.trim() === '"""') block = [];
    else if (block !== undefined && line.trim() === '"""') {
      yield block.join("\n");
      block = undefined;
      continue;
    } else if (block !== undefined) block.push(line);
    else if (line.trim() !== "") {
      yield line;
      continue;
    }
    lines.setPrompt(block === undefined ? paint("accent", "› ") : paint("faint", "… "));
    lines.prompt();
  }
}
