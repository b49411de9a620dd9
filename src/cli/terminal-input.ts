// Messages from the person: from a terminal, with editing, history and pasting of many lines, or from a pipe, a line
// each. In a terminal keys arrive raw, so that Ctrl-C is ours to answer. Not here: what a key does (editor.ts).
import process from "node:process";
import { createInterface, emitKeypressEvents } from "node:readline";
import type { ReadStream } from "node:tty";
import { Editor, type Key, isOpenBlock, unquoted } from "./editor.ts";
import { layOut } from "./layout.ts";
import { out, paint } from "./terminal.ts";

export interface MessageInput {
  /** The next message that is not empty; undefined when the person leaves. */
  next(): Promise<string | undefined>;
  close(): void;
}

/** Ctrl-C while nobody waits for a message calls `onInterrupt`. */
export function openMessageInput(onInterrupt: () => void): MessageInput {
  return process.stdin.isTTY && process.stdout.isTTY ? new TerminalInput(process.stdin, onInterrupt) : new LineInput();
}

/** A message a line; all lines from one that begins with `"""` to one that ends with it are one message. */
class LineInput implements MessageInput {
  readonly #reader = createInterface({ input: process.stdin });
  readonly #lines = this.#reader[Symbol.asyncIterator]();

  async next(): Promise<string | undefined> {
    let text = "";
    for (;;) {
      const line = await this.#lines.next();
      if (line.done === true) return text.trim() === "" ? undefined : unquoted(text);
      text += line.value;
      if (isOpenBlock(text)) text += "\n";
      else if (text.trim() !== "") return unquoted(text);
      else text = "";
    }
  }

  close(): void {
    this.#reader.close();
  }
}

const PROMPT = "› ";
const PASTE_ON = "\x1b[?2004h"; // pasted text comes between marks, so its line breaks send nothing
const PASTE_OFF = "\x1b[?2004l";

class TerminalInput implements MessageInput {
  readonly #stdin: ReadStream;
  readonly #onInterrupt: () => void;
  readonly #editor = new Editor();
  readonly #onKey = (text: string | undefined, key: Key): void => this.#takeKey(text, key);
  readonly #onResize = (): void => this.#draw();
  #waiting: PromiseWithResolvers<string | undefined> | undefined;
  /** Messages that were sent while a reply came, the oldest first. */
  readonly #sent: string[] = [];
  #pasted: string | undefined;
  #cursorRow = 0;
  #isDrawing = false;
  #wantsToLeave = false;

  constructor(stdin: ReadStream, onInterrupt: () => void) {
    this.#stdin = stdin;
    this.#onInterrupt = onInterrupt;
    emitKeypressEvents(stdin);
    stdin.on("keypress", this.#onKey);
    stdin.setRawMode(true);
    stdin.resume();
    process.stdout.on("resize", this.#onResize).write(PASTE_ON);
  }

  async next(): Promise<string | undefined> {
    const sent = this.#sent.shift();
    if (sent !== undefined) {
      out(`${paint("accent", PROMPT)}${sent.replaceAll("\n", "\n  ")}`);
      return unquoted(sent);
    }
    this.#waiting = Promise.withResolvers();
    this.#cursorRow = 0;
    this.#draw();
    return await this.#waiting.promise;
  }

  close(): void {
    this.#stdin.off("keypress", this.#onKey).pause();
    this.#stdin.setRawMode(false);
    process.stdout.off("resize", this.#onResize).write(PASTE_OFF);
    this.#settle(undefined);
  }

  #takeKey(text: string | undefined, key: Key): void {
    if (key.name === "paste-start") this.#pasted = "";
    else if (key.name === "paste-end") {
      this.#editor.insert(this.#pasted ?? "");
      this.#pasted = undefined;
    } else if (this.#pasted !== undefined) this.#pasted += text ?? "";
    else if (this.#waiting !== undefined) this.#type(text, key);
    else this.#typeAhead(text, key);
    this.#drawSoon();
  }

  #type(text: string | undefined, key: Key): void {
    const event = this.#editor.key(text, key);
    if (event !== "interrupt") this.#wantsToLeave = false;
    if (event === "submit") this.#submit();
    else if (event === "end") this.#leave();
    else if (event === "interrupt") this.#interrupt();
    else if (event === "suspend") this.#suspend();
    else if (event === "clear-screen") {
      process.stdout.write("\x1b[H\x1b[2J");
      this.#cursorRow = 0;
    }
  }

  /** While a reply comes, what is typed waits for its end: a line that is sent is the next message; only Ctrl-C acts. */
  #typeAhead(text: string | undefined, key: Key): void {
    if (key.ctrl && key.name === "c") this.#onInterrupt();
    else if (!key.ctrl && this.#editor.key(text, key) === "submit") {
      const sent = this.#editor.text;
      if (unquoted(sent).trim() === "") return;
      this.#editor.clear(sent);
      this.#sent.push(sent);
    }
  }

  #submit(): void {
    const message = unquoted(this.#editor.text);
    if (message.trim() === "") return;
    this.#finishRow();
    this.#editor.clear(this.#editor.text);
    this.#settle(message);
  }

  #leave(): void {
    this.#finishRow();
    this.#settle(undefined);
  }

  /** The first Ctrl-C empties the text, the next one says how to leave, one more leaves. */
  #interrupt(): void {
    if (this.#editor.text !== "") this.#editor.clear();
    else if (this.#wantsToLeave) this.#leave();
    else {
      this.#wantsToLeave = true;
      this.#finishRow();
      out(paint("faint", "Ctrl-C again, Ctrl-D or /bye leaves."));
    }
  }

  #suspend(): void {
    this.#finishRow();
    this.#stdin.setRawMode(false);
    process.stdout.write(PASTE_OFF);
    process.once("SIGCONT", () => {
      this.#stdin.setRawMode(true);
      process.stdout.write(PASTE_ON);
      this.#drawSoon();
    });
    process.kill(process.pid, "SIGTSTP");
  }

  #settle(message: string | undefined): void {
    this.#waiting?.resolve(message);
    this.#waiting = undefined;
  }

  /** Once for all keys that came together. */
  #drawSoon(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    setImmediate(() => {
      this.#isDrawing = false;
      this.#draw();
    });
  }

  /** Draws the text anew, from the row where the prompt stands. Of a text taller than the screen, the part around the cursor. */
  #draw(): void {
    if (this.#waiting === undefined) return;
    const width = process.stdout.columns || 80; // some pseudo-terminals say 0
    const height = process.stdout.rows || 24;
    const { rows, cursor } = layOut(this.#editor.before, this.#editor.after, width, PROMPT.length);
    const first = Math.min(Math.max(0, cursor.row - height + 2), Math.max(0, rows.length - height + 1));
    const shown = rows.slice(first, first + height - 1);
    const lines = shown.map((row, i) => (first + i === 0 ? paint("accent", PROMPT) : "  ") + row);
    const up = (count: number): string => (count > 0 ? `\x1b[${count}A` : "");
    const row = cursor.row - first;
    process.stdout.write(
      `${up(this.#cursorRow)}\r\x1b[J${lines.join("\r\n")}${up(shown.length - 1 - row)}\r\x1b[${cursor.column}C`,
    );
    this.#cursorRow = row;
  }

  /** Leaves the text as it stands and goes to the row below it. */
  #finishRow(): void {
    this.#editor.key(undefined, { name: "end" });
    this.#editor.before = this.#editor.text;
    this.#editor.after = "";
    this.#draw();
    process.stdout.write("\r\n");
    this.#cursorRow = 0;
  }
}
