// The message being typed, as data: text, cursor, history, and what each key does to them. Moves by characters as people
// see them (an emoji of seven code points is one). Pure, so that a test can type. Not here: keys' bytes and drawing
// (terminal-input.ts), layout (layout.ts).

/** A key as Node's readline names it. */
export interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

/** What the owner has to do after a key; undefined: draw anew. */
export type EditorEvent = "submit" | "interrupt" | "end" | "clear-screen" | "suspend";

const segmenter = new Intl.Segmenter();
const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

/** Text as it may be kept: line breaks are \n, other control characters but tabs are dropped. */
const plain = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  text.replaceAll(/\r\n?/g, "\n").replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");

export class Editor {
  before = "";
  after = "";
  #history: string[] = [];
  /** Where in the history the text comes from; the draft stands behind the last one. */
  #place = 0;
  #draft = "";

  get text(): string {
    return this.before + this.after;
  }

  insert(text: string): void {
    this.before += plain(text);
  }

  /** Empties the text; what is `kept` can be called back with the up key. */
  clear(kept?: string): void {
    if (kept !== undefined && kept !== this.#history.at(-1)) this.#history.push(kept);
    this.#place = this.#history.length;
    this.#replace("");
  }

  /** Takes one key: `text` is what it writes, when it writes something. */
  key(text: string | undefined, key: Key): EditorEvent | undefined {
    const { name = "", ctrl = false, meta = false } = key;
    const action = KEYS[(ctrl ? "ctrl-" : meta ? "meta-" : "") + name];
    if (action !== undefined) return action(this) ?? undefined;
    if (text !== undefined && !ctrl && !meta) this.insert(text);
    return undefined;
  }

  enter(): EditorEvent | undefined {
    if (!isOpenBlock(this.text)) return "submit";
    this.insert("\n");
    return undefined;
  }

  left(): void {
    const last = graphemes(this.before).at(-1) ?? "";
    this.#cut(this.before.length - last.length);
  }

  right(): void {
    this.#cut(this.before.length + (graphemes(this.after)[0] ?? "").length);
  }

  lineStart(): void {
    this.#cut(this.before.lastIndexOf("\n") + 1);
  }

  lineEnd(): void {
    const end = this.after.indexOf("\n");
    this.#cut(end < 0 ? this.text.length : this.before.length + end);
  }

  wordLeft(): void {
    this.#cut(this.before.replace(/\S*\s*$/, "").length);
  }

  wordRight(): void {
    this.#cut(this.before.length + /^\s*\S*/.exec(this.after)![0].length);
  }

  /** Drops what lies between the cursor and where `move` takes it. */
  remove(move: (editor: this) => void): void {
    const { before, after } = this;
    move(this);
    if (this.before.length < before.length) this.after = after;
    else this.before = before;
  }

  /** A line up, or the message before it in the history. */
  up(): void {
    const start = this.before.lastIndexOf("\n");
    if (start < 0) this.#recall(this.#place - 1);
    else {
      const column = this.before.length - start - 1;
      const previous = this.before.lastIndexOf("\n", start - 1) + 1;
      this.#cut(Math.min(previous + column, start));
    }
  }

  down(): void {
    const end = this.after.indexOf("\n");
    if (end < 0) this.#recall(this.#place + 1);
    else {
      const column = this.before.length - this.before.lastIndexOf("\n") - 1;
      const next = this.before.length + end + 1;
      const nextEnd = this.text.indexOf("\n", next);
      this.#cut(Math.min(next + column, nextEnd < 0 ? this.text.length : nextEnd));
    }
  }

  #recall(place: number): void {
    if (place < 0 || place > this.#history.length) return;
    if (this.#place === this.#history.length) this.#draft = this.text;
    this.#place = place;
    this.#replace(this.#history[place] ?? this.#draft);
  }

  #cut(at: number): void {
    const { text } = this;
    this.before = text.slice(0, at);
    this.after = text.slice(at);
  }

  #replace(text: string): void {
    this.before = text;
    this.after = "";
  }
}

/** Whether a message of several lines was opened by `"""` and not closed yet. */
export function isOpenBlock(text: string): boolean {
  return text.trimStart().startsWith('"""') && !(text.trim().length >= 6 && text.trimEnd().endsWith('"""'));
}

/** A message without the `"""` around it. */
export function unquoted(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('"""') || isOpenBlock(trimmed)) return text;
  return trimmed.slice(3, -3).replace(/^\n/, "").replace(/\n$/, "");
}

type Action = (editor: Editor) => EditorEvent | undefined | void;
const move = (name: "left" | "right" | "lineStart" | "lineEnd" | "wordLeft" | "wordRight" | "up" | "down"): Action =>
  function moveCursor(editor) {
    editor[name]();
  };
const remove = (name: "left" | "right" | "lineStart" | "lineEnd" | "wordLeft" | "wordRight"): Action =>
  function removeText(editor) {
    editor.remove((moved) => moved[name]());
  };
const newline: Action = (editor) => editor.insert("\n");

/** Readline's usual keys; Alt-Enter and Ctrl-J begin a new line. */
const KEYS: Readonly<Partial<Record<string, Action>>> = {
  return: (editor) => editor.enter(),
  enter: newline,
  "meta-return": newline,
  "meta-enter": newline,
  left: move("left"),
  right: move("right"),
  "ctrl-b": move("left"),
  "ctrl-f": move("right"),
  home: move("lineStart"),
  end: move("lineEnd"),
  "ctrl-a": move("lineStart"),
  "ctrl-e": move("lineEnd"),
  "ctrl-left": move("wordLeft"),
  "ctrl-right": move("wordRight"),
  "meta-b": move("wordLeft"),
  "meta-f": move("wordRight"),
  up: move("up"),
  down: move("down"),
  "ctrl-p": move("up"),
  "ctrl-n": move("down"),
  backspace: remove("left"),
  "ctrl-h": remove("left"),
  delete: remove("right"),
  "ctrl-u": remove("lineStart"),
  "ctrl-k": remove("lineEnd"),
  "ctrl-w": remove("wordLeft"),
  "meta-backspace": remove("wordLeft"),
  "meta-d": remove("wordRight"),
  "ctrl-c": () => "interrupt",
  "ctrl-d": (editor) => (editor.text === "" ? "end" : remove("right")(editor)),
  "ctrl-l": () => "clear-screen",
  "ctrl-z": () => "suspend",
};
