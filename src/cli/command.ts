// What a command is, and how its words are read: options are a table, unknown ones are errors, help is made from the
// same table. Parsing is Node's own `parseArgs` in strict mode. Not here: any command.
import { parseArgs } from "node:util";
import { UsageError } from "../base/errors.ts";

export interface OptionSpec {
  readonly type: "string" | "number" | "boolean";
  readonly short?: string;
  /** May be given several times; the value is then an array. */
  readonly multiple?: boolean;
  /** The word in help for the value, such as FILE. */
  readonly hint?: string;
  readonly help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type One<S extends OptionSpec> = S["type"] extends "boolean" ? boolean : S["type"] extends "number" ? number : string;
/** Option values by name; absent ones are undefined. */
export type OptionValues<O extends OptionSpecs> = {
  readonly [K in keyof O]?: O[K]["multiple"] extends true ? readonly One<O[K]>[] : One<O[K]>;
};

export interface Command<O extends OptionSpecs = OptionSpecs> {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The words after the command's name, such as "MODEL [PROMPT]". */
  readonly usage: string;
  /** How many plain words it takes. */
  readonly words: { readonly least: number; readonly most: number };
  readonly options: O;
  /** Lines of examples or remarks under the options. */
  readonly notes?: readonly string[];
  run(options: OptionValues<O>, words: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Keeps the types of a command's option table. */
export const defineCommand = <const O extends OptionSpecs>(command: Command<O>): Command<O> => command;

/** Reads the words after a command's name. Throws UsageError for anything unknown, missing or ill-formed. */
export function parseWords<O extends OptionSpecs>(
  command: Command<O>,
  args: readonly string[],
): { options: OptionValues<O>; words: string[] } {
  const specs = Object.entries(command.options);
  const isNumber = (arg: string): boolean =>
    specs.some(([name, { type, short }]) => type === "number" && (arg === `--${name}` || arg === `-${short}`));
  // parseArgs takes the -1 of "--presence-penalty -1" for an option
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1);
    if (last !== undefined && isNumber(last) && /^-\.?\d/.test(arg)) {
      joined.push(`${joined.pop()!}${last.startsWith("--") ? "=" : ""}${arg}`);
    } else joined.push(arg);
  }
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: joined,
      strict: true,
      allowPositionals: true,
      allowNegative: true,
      options: Object.fromEntries(
        specs.map(([name, { type, short, multiple = false }]) => [
          name,
          { type: type === "boolean" ? "boolean" : "string", multiple, ...(short === undefined ? {} : { short }) },
        ]),
      ),
    });
  } catch (error) {
    const [message] = (error as Error).message.split(/\. To specify |\n/);
    throw new UsageError(message.replace(/\.?$/, "."), { hint: "See --help." });
  }
  const { least, most } = command.words;
  if (parsed.positionals.length < least || parsed.positionals.length > most) {
    const count = parsed.positionals.length;
    const found =
      count === 0 ? "no words" : `${count === 1 ? "1 word" : `${count} words`} (${parsed.positionals.join(" ")})`;
    throw new UsageError(`Found ${found}, expected: ${command.usage || "only options"}.`, { hint: "See --help." });
  }
  const values = Object.fromEntries(
    specs
      .filter(([name]) => parsed.values[name] !== undefined)
      .map(([name, spec]) => {
        const value = parsed.values[name];
        if (spec.type !== "number") return [name, value];
        return [name, Array.isArray(value) ? value.map((item) => toNumber(name, item)) : toNumber(name, value)];
      }),
  );
  return { options: values as OptionValues<O>, words: parsed.positionals };
}

function toNumber(name: string, value: unknown): number {
  const number = Number(value);
  if (typeof value !== "string" || value.trim() === "" || !Number.isFinite(number)) {
    throw new UsageError(`--${name} is ${JSON.stringify(value)}, expected a number.`, { field: name });
  }
  return number;
}

/** The help text of one command, within 80 columns. */
export function helpOf(name: string, command: Command): string {
  const rows = Object.entries(command.options).map(([option, { short, type, hint, help }]) => {
    const value = type === "boolean" ? "" : ` ${hint ?? (type === "number" ? "N" : "TEXT")}`;
    return [`${short === undefined ? "    " : `-${short}, `}--${option}${value}`, help] as const;
  });
  const column = Math.min(30, Math.max(...rows.map(([left]) => left.length), 0) + 2);
  const lines = rows.map(([left, help]) => `  ${table(left, help, column)}`);
  return [
    command.summary,
    "",
    ["usage: liang", name, command.usage, rows.length > 0 ? "[options]" : ""].filter(Boolean).join(" "),
    ...(lines.length > 0 ? ["", ...lines] : []),
    ...(command.notes === undefined ? [] : ["", ...command.notes]),
  ].join("\n");
}

/** `left` and `right` in two columns, the right one wrapped at 80. */
export function table(left: string, right: string, column: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of right.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > 76 - column) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  const head = left.length < column ? left.padEnd(column) : `${left}\n  ${" ".repeat(column)}`;
  return head + lines.join(`\n  ${" ".repeat(column)}`);
}
