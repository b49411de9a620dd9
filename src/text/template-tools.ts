// Gives a template the tool calls of a conversation in the form it can write. APIs send a call's arguments as JSON
// text; most templates want an object (`arguments | tojson`), some the text, and some fail on a call whose message has
// no content. A template does not say which: the conversation is rendered with known arguments to see.

/** A message as templates see it. Roles were checked by who made it. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly TemplateToolCall[];
  readonly [name: string]: unknown;
}

export interface TemplateToolCall {
  readonly function: { readonly name: string; readonly arguments: unknown };
  readonly [name: string]: unknown;
}

interface Form {
  readonly asObject: boolean;
  /** What stands for no content: null as APIs have it, or "". */
  readonly noContent: null | "";
}

/** In the order they are tried; the first is also what a template gets that can write none of them. */
const FORMS: readonly Form[] = [
  { asObject: true, noContent: null },
  { asObject: true, noContent: "" },
  { asObject: false, noContent: null },
  { asObject: false, noContent: "" },
];

const PROBE_ARGUMENTS = { needle: 7 };
// As JSON in the prompt; a template that quotes the text once more would write \"needle\".
const PROBE_WRITTEN = /(?<!\\)"needle": ?7/;

/** Gives messages with their calls as the template of `source` wants them; `render` renders messages with it. */
export type ToolCallFitter = (
  messages: readonly TemplateMessage[],
  source: string,
  render: (probe: readonly TemplateMessage[]) => Promise<string>,
) => Promise<readonly TemplateMessage[]>;

/** A fitter that probes each source once. */
export function createToolCallFitter(): ToolCallFitter {
  const known = new Map<string, Form>();
  return async (messages, source, render) => {
    if (!messages.some((message) => message.tool_calls !== undefined)) return messages;
    const form = known.get(source) ?? (await probeForm(messages, render));
    if (form !== undefined) known.set(source, form);
    return messages.map((message) => fit(message, form ?? FORMS[0]));
  };
}

/** The first form in which the arguments show as JSON; undefined when none does. */
async function probeForm(
  messages: readonly TemplateMessage[],
  render: (probe: readonly TemplateMessage[]) => Promise<string>,
): Promise<Form | undefined> {
  for (const form of FORMS) {
    const probe = messages.map((message) => fit(message, form, PROBE_ARGUMENTS));
    if (PROBE_WRITTEN.test(await render(probe).catch(() => ""))) return form;
  }
  return undefined;
}

function fit(message: TemplateMessage, { asObject, noContent }: Form, probe?: object): TemplateMessage {
  if (message.tool_calls === undefined) return message;
  return {
    ...message,
    content: message.content ?? noContent,
    tool_calls: message.tool_calls.map((call) => {
      const given = probe ?? call.function.arguments;
      return { ...call, function: { ...call.function, arguments: asObject ? parsed(given) : written(given) } };
    }),
  };
}

/** Arguments as a value. Text that is no JSON (a model wrote it) stays text. */
function parsed(given: unknown): unknown {
  if (typeof given !== "string") return given;
  try {
    return JSON.parse(given) as unknown;
  } catch {
    return given;
  }
}

/** Arguments as JSON text with Python's spaces. */
function written(given: unknown): string {
  return typeof given === "string" ? given : pythonJson(given);
}

function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonJson(item)}`);
  return `{${entries.join(", ")}}`;
}
