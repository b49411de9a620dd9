// A terminal conversation as data: its messages, settings and slash commands. Pure but for /save and /load, so that a
// test can drive it without a terminal. Not here: reading lines, streaming (chat.ts).
import { withoutUndefined } from "../base/collections.ts";
import { FormatError, UsageError } from "../base/errors.ts";
import type { BeamOptions, Message, SamplingOptions } from "../chat/types.ts";
import { samplingOptions } from "./sampling.ts";
import { readTextFile, writeTextFile } from "./text-file.ts";

/** Options that `/set` takes: those of the command line that are numbers, under the same names. */
const SETTINGS = Object.entries(samplingOptions).filter(([, { type }]) => type === "number");

export const HELP = [
  "/help            this list",
  "/system TEXT     set the system prompt; alone: show it; /system -: remove it",
  "/set NAME VALUE  set a sampling option; alone: list them; VALUE -: the usual one",
  "/regen           answer the last message anew",
  "/edit TEXT       replace your last message and answer it",
  "/clear           start anew, keeping system prompt and settings",
  "/save FILE       write the conversation as JSON",
  "/load FILE       read one back",
  "/stats           tokens and speed of the last reply",
  "/bye             leave (also Ctrl-D)",
  "",
  'Several lines: """ before and after them, or Alt-Enter, or just paste them.',
  "Ctrl-C stops a reply. The up key brings back what you wrote.",
].join("\n");

/** What the loop does after a line: show something, answer, leave. */
export type Outcome =
  | { readonly do: "show"; readonly text: string }
  | { readonly do: "reply" }
  | { readonly do: "stats" }
  | { readonly do: "leave" };

interface Saved {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly settings: Readonly<Record<string, number>>;
}

/** "top-k" -> "topK": options are the door's, flags their kebab-case names. */
const optionName = (flag: string): string => flag.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** A message's text, as it is shown. */
const contentText = ({ content }: Message): string =>
  typeof content === "string" ? content : (content ?? []).map(({ text }) => text ?? "").join("");

export class ChatSession {
  readonly model: string;
  messages: Message[] = [];
  settings: SamplingOptions & BeamOptions & { maxTokens?: number };

  constructor(model: string, settings: ChatSession["settings"], system?: string) {
    this.model = model;
    this.settings = settings;
    if (system !== undefined) this.#setSystem(system);
  }

  /** Takes one message or command of the person. Throws LiangErrors for what it cannot take. */
  async take(line: string): Promise<Outcome> {
    if (!line.startsWith("/")) {
      this.messages.push({ role: "user", content: line });
      return { do: "reply" };
    }
    const [, name, rest] = /^\/(\S*)\s*(.*)$/s.exec(line)!;
    if (!Object.hasOwn(COMMANDS, name))
      throw new UsageError(`There is no command /${name}.`, { hint: "/help lists them." });
    return COMMANDS[name](this, rest);
  }

  /** Adds a finished (or stopped) reply. */
  replied(text: string): void {
    this.messages.push({ role: "assistant", content: text });
  }

  /** Drops replies after the last message of the person; throws when there is none. */
  rewind(): void {
    const last = this.messages.findLastIndex(({ role }) => role === "user");
    if (last < 0) throw new UsageError("There is no message to answer yet.");
    this.messages.length = last + 1;
  }

  system(text: string): Outcome {
    const current = this.messages.find(({ role }) => role === "system");
    if (text === "") return { do: "show", text: current === undefined ? "no system prompt" : contentText(current) };
    this.#setSystem(text === "-" ? undefined : text);
    return { do: "show", text: text === "-" ? "system prompt removed" : "system prompt set" };
  }

  set(text: string): Outcome {
    const [name, value] = text.trim().split(/\s+/);
    if (name === "") {
      const rows = SETTINGS.map(
        ([key, { help }]) => `${key.padEnd(20)}${String(this.#setting(key) ?? "-").padEnd(8)}${help}`,
      );
      return { do: "show", text: rows.join("\n") };
    }
    if (!SETTINGS.some(([key]) => key === name)) {
      throw new UsageError(`There is no setting ${JSON.stringify(name)}.`, { hint: "/set alone lists them." });
    }
    const number = value === "-" ? undefined : Number(value);
    if (value === undefined || Number.isNaN(number)) {
      throw new UsageError(`${name} is ${JSON.stringify(value ?? "")}, expected a number, or - for the usual one.`);
    }
    this.settings = { ...this.settings, [optionName(name)]: number };
    return { do: "show", text: number === undefined ? `${name} is as usual` : `${name} is ${number}` };
  }

  #setting(name: string): number | undefined {
    return (this.settings as Readonly<Record<string, number | undefined>>)[optionName(name)];
  }

  clear(): void {
    this.messages = this.messages.filter(({ role }) => role === "system");
  }

  async save(file: string): Promise<Outcome> {
    if (file === "") throw new UsageError("/save needs a file name.");
    const settings = withoutUndefined(this.settings);
    const content = `${JSON.stringify({ model: this.model, messages: this.messages, settings }, null, 2)}\n`;
    await writeTextFile(file, content);
    return { do: "show", text: `saved ${this.messages.length} messages to ${file}` };
  }

  async load(file: string): Promise<Outcome> {
    if (file === "") throw new UsageError("/load needs a file name.");
    const content = await readTextFile(file);
    let saved: Saved | null;
    try {
      saved = JSON.parse(content) as Saved | null;
    } catch (cause) {
      throw new FormatError(file, "content", "no JSON", "a conversation saved by /save", { cause });
    }
    const isMessage = (message: Message): boolean =>
      typeof message?.role === "string" && (typeof message.content === "string" || Array.isArray(message.content));
    if (!Array.isArray(saved?.messages) || !saved.messages.every(isMessage)) {
      throw new FormatError(file, "messages", typeof saved?.messages, "a list of {role, content}");
    }
    this.messages = [...saved.messages];
    this.settings = { ...this.settings, ...saved.settings };
    return { do: "show", text: `loaded ${this.messages.length} messages` };
  }

  #setSystem(text: string | undefined): void {
    const others = this.messages.filter(({ role }) => role !== "system");
    this.messages = text === undefined ? others : [{ role: "system", content: text }, ...others];
  }
}

const COMMANDS: Readonly<Record<string, (session: ChatSession, rest: string) => Outcome | Promise<Outcome>>> = {
  help: () => ({ do: "show", text: HELP }),
  "?": () => ({ do: "show", text: HELP }),
  system: (session, rest) => session.system(rest),
  set: (session, rest) => session.set(rest),
  regen(session) {
    session.rewind();
    return { do: "reply" };
  },
  edit(session, rest) {
    if (rest === "") throw new UsageError("/edit needs the new message.");
    session.rewind();
    session.messages[session.messages.length - 1] = { role: "user", content: rest };
    return { do: "reply" };
  },
  clear(session) {
    session.clear();
    return { do: "show", text: "cleared" };
  },
  save: (session, rest) => session.save(rest.trim()),
  load: (session, rest) => session.load(rest.trim()),
  stats: () => ({ do: "stats" }),
  bye: () => ({ do: "leave" }),
};
