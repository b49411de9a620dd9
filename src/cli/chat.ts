// `liang chat`: a conversation in the terminal. Streams replies; Ctrl-C stops the reply, not the program. Works from a pipe
// too: a message a line. Not here: keys (terminal-input.ts), slash commands (chat-session.ts).
import process from "node:process";
import { LiangError, isAbort } from "../base/errors.ts";
import type { LanguageModel } from "../chat/types.ts";
import { builtInModels } from "../store/built-in.ts";
import { ChatSession } from "./chat-session.ts";
import { defineCommand } from "./command.ts";
import { WordWrap } from "./layout.ts";
import { openModel } from "./open.ts";
import { type EndEvent, cutNote, stream, summary } from "./reply.ts";
import { adapterOption, generateOptions, loadOptions, loadingOptions, samplingOptions } from "./sampling.ts";
import { openMessageInput } from "./terminal-input.ts";
import { note, out, paint, write } from "./terminal.ts";

export const command = defineCommand({
  summary: "Talks with a model in the terminal.",
  usage: "[MODEL]",
  words: { least: 0, most: 1 },
  options: {
    system: { type: "string", short: "s", help: "system prompt" },
    adapter: adapterOption,
    ...samplingOptions,
    ...loadingOptions,
  },
  notes: [
    `Without MODEL it is the built-in one, ${builtInModels[0].name}. In the chat, /help lists what`,
    "you can do.",
  ],
  async run(options, [model = builtInModels[0].name], signal) {
    const { adapter, beams } = options;
    await using loaded = await openModel(model, { ...loadOptions(options), adapter, beams, signal });
    const { name, window, template } = loaded.info;
    out(`${paint("strong", name)} ${paint("faint", `holds ${window} tokens; /help lists what you can do`)}`);
    if (template === "none") out(paint("faint", "It was not made for chat: it continues what you write."));
    const session = new ChatSession(name, generateOptions(options), options.system);
    await talk(loaded, session, options.stop, signal);
  },
});

/** Takes messages until the person leaves or `signal` aborts. */
async function talk(
  model: LanguageModel,
  session: ChatSession,
  stop: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<void> {
  let reply: AbortController | undefined;
  let last: EndEvent | undefined;
  const input = openMessageInput(() => reply?.abort());
  const leave = (): void => {
    reply?.abort();
    input.close();
  };
  signal.addEventListener("abort", leave);
  try {
    for (;;) {
      const line = await input.next();
      if (line === undefined || signal.aborted) return;
      const before = [...session.messages];
      try {
        const outcome = await session.take(line);
        if (outcome.do === "leave") return;
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
        if (!process.stdin.isTTY) process.exitCode = error.exitCode; // a script must see it
      } finally {
        reply = undefined;
      }
    }
  } finally {
    signal.removeEventListener("abort", leave);
    input.close();
  }
}

/** Streams one reply into the session; a stopped one keeps what came. */
async function answer(
  model: LanguageModel,
  session: ChatSession,
  stop: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<EndEvent | undefined> {
  const { stdout } = process;
  const wrap = stdout.isTTY ? new WordWrap(stdout.columns || 80) : undefined;
  let text = "";
  const show = (piece: string): void => {
    text += piece;
    write(wrap === undefined ? piece : wrap.push(piece));
  };
  let end: EndEvent | undefined;
  let isStopped = false;
  try {
    ({ end } = await stream(model.chat(session.messages, { ...session.settings, stop, signal }), show));
  } catch (error) {
    if (!isAbort(error)) throw error;
    isStopped = true;
  } finally {
    if (wrap !== undefined) write(wrap.end());
    if (text !== "") session.replied(text);
    if (text !== "" || isStopped) out("");
  }
  if (isStopped) note(paint("faint", "stopped", process.stderr));
  else if (session.settings.maxTokens === undefined) cutNote(end!, model.info.window);
  out("");
  return end;
}
