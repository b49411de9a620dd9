// Error classes: each carries the facts as fields and one sentence that says what was found, what was expected
// and what to do. `code` is stable (scripts and API clients read it); `exitCode` is what the CLI ends with.
// Not here: how an error is shown (cli/, server/).

export interface ErrorFacts {
  /** What to do about it, one sentence. */
  hint?: string;
  /** The error underneath, when there is one. */
  cause?: unknown;
}

/** Base of every error that Liang throws on purpose. Anything else that escapes is a defect. */
export class LiangError extends Error {
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(code: string, message: string, facts: ErrorFacts = {}, exitCode = 1) {
    super(facts.hint === undefined ? message : `${message} ${facts.hint}`, { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.exitCode = exitCode;
    this.hint = facts.hint;
  }
}

/** Bytes that break their format: a model file, a header, a tokenizer, a recipe. */
export class FormatError extends LiangError {
  readonly file: string;
  readonly field: string;
  readonly found: unknown;
  readonly expected: string;

  constructor(file: string, field: string, found: unknown, expected: string, facts: ErrorFacts = {}) {
    super("bad_format", `${file}: ${field} is ${show(found)}, expected ${expected}.`, facts, 3);
    this.file = file;
    this.field = field;
    this.found = found;
    this.expected = expected;
  }
}

/** A tensor or argument whose shape does not fit. */
export class ShapeError extends LiangError {
  readonly subject: string;
  readonly found: unknown;
  readonly expected: unknown;

  constructor(subject: string, found: unknown, expected: unknown, facts: ErrorFacts = {}) {
    super("bad_shape", `${subject}: found ${show(found)}, expected ${show(expected)}.`, facts, 3);
    this.subject = subject;
    this.found = found;
    this.expected = expected;
  }
}

/** Something valid that Liang cannot do: an unknown architecture, number format, option. */
export class UnsupportedError extends LiangError {
  constructor(message: string, facts: ErrorFacts = {}) {
    super("unsupported", message, facts, 3);
  }
}

/** A file, model or conversation that is not there. */
export class NotFoundError extends LiangError {
  constructor(message: string, facts: ErrorFacts = {}) {
    super("not_found", message, facts, 4);
  }
}

/** Wrong use of a command, an option or an API field. */
export class UsageError extends LiangError {
  readonly field: string | undefined;

  constructor(message: string, facts: ErrorFacts & { field?: string } = {}) {
    super("bad_request", message, facts, 2);
    this.field = facts.field;
  }
}

/** A prompt that does not fit the window, or fills it so that no token of a reply does. Nothing is ever cut silently. */
export class ContextLengthError extends LiangError {
  readonly promptTokens: number;
  readonly window: number;

  constructor(promptTokens: number, window: number, facts: ErrorFacts = {}) {
    super(
      "context_length_exceeded",
      promptTokens > window
        ? `The prompt has ${promptTokens} tokens and exceeds the available context size of ${window} tokens.`
        : `The prompt has ${promptTokens} tokens and leaves no room for a reply in the available context size of ${window} tokens.`,
      { hint: "Shorten it, or load the model with a larger window if it was made for one.", ...facts },
      5,
    );
    this.promptTokens = promptTokens;
    this.window = window;
  }
}

/** Not enough memory for what was asked; thrown before anything is allocated. */
export class MemoryError extends LiangError {
  readonly neededBytes: number;
  readonly availableBytes: number;

  constructor(what: string, neededBytes: number, availableBytes: number, facts: ErrorFacts = {}) {
    const mb = (n: number) => `${Math.ceil(n / 1e6)} MB`;
    super("out_of_memory", `${what} needs ${mb(neededBytes)}, ${mb(availableBytes)} are available.`, facts, 6);
    this.neededBytes = neededBytes;
    this.availableBytes = availableBytes;
  }
}

/** A kernel failed on a compute thread: (code, program step, part) as the thread wrote them. */
export class KernelError extends LiangError {
  readonly step: number;
  readonly part: number;

  constructor(message: string, step: number, part: number, facts: ErrorFacts = {}) {
    super("kernel_failed", `${message} (program step ${step}, part ${part})`, facts, 70);
    this.step = step;
    this.part = part;
  }
}

/** True for the rejection that an AbortSignal causes. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

const ITEMS_SHOWN = 8;
const LIST_CHARACTERS = 200;

/** A value as it is shown inside a message: short whatever it holds, quoted where it is text. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value)) {
    const list = value as ArrayLike<unknown>;
    const items = Array.from({ length: Math.min(list.length, ITEMS_SHOWN) }, (_, i) => show(list[i]));
    const shown = `[${items.join(", ")}${list.length > ITEMS_SHOWN ? `, ... ${list.length} in all` : ""}]`;
    return shown.length > LIST_CHARACTERS ? `${shown.slice(0, LIST_CHARACTERS)}...` : shown; // lists in lists
  }
  if (value instanceof Error) return String(value);
  // a plain object from a file may have a field `toString` that is no function
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
