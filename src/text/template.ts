// Chat templates: messages → the exact prompt, as transformers renders it, and which of its characters a person wrote.
//
// A user's text never becomes control tokens. The conversation is rendered as it is; when any text in it has a character
// that control tokens begin or end with, it is rendered again with these characters marked (template-marks.ts), all of
// them ("strict") or, where the template looks into messages for such text and so renders something else, only those
// that spell control tokens ("narrow"). A marked rendering that equals the plain one says where people's characters
// are. When even "narrow" differs, the template acts on control tokens written in messages (it drops what is before a
// `</think>`, say): then it is not shown them, and the narrow rendering is the prompt.
//
// Templates of files are untrusted and render on a thread with a budget (template-runner.ts); ours, and those that
// somebody has read (template-vetted.ts), render here.
import { UnsupportedError, UsageError } from "../base/errors.ts";
import { builtInNames, builtInSource, isVetted } from "./template-builtin.ts";
import { TemplateError } from "./template-error.ts";
import { renderJinja } from "./template-jinja.ts";
import type { JinjaJob } from "./template-jinja.ts";
import { createMarking } from "./template-marks.ts";
import type { Marking } from "./template-marks.ts";
import { createTemplateRunner, DEFAULT_BUDGET } from "./template-runner.ts";
import type { TemplateBudget } from "./template-runner.ts";
import { isVettedText } from "./template-vetted.ts";
import { createToolCallFitter } from "./template-tools.ts";
import type { TemplateMessage } from "./template-tools.ts";

export type { TemplateMessage } from "./template-tools.ts";

/** Templates of one model: the default one, and others by their names ("tool_use" serves when tools are offered). */
export interface TemplateSources {
  readonly main: string | undefined;
  readonly named: Readonly<Record<string, string>>;
}

/** What a template may know of its vocabulary. */
export interface TemplateVocabulary {
  /** Texts of all control tokens. */
  readonly controlTexts: readonly string[];
  /** `bos_token`, `eos_token` and the like, as the template's variables. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface TemplateInput {
  readonly messages: readonly TemplateMessage[];
  readonly tools?: readonly unknown[];
  readonly addGenerationPrompt: boolean;
  /** Extra variables, such as `enable_thinking`. */
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface RenderedPrompt {
  readonly text: string;
  /** For `EncodeOptions.plain`. */
  readonly plain: readonly number[];
}

export interface ChatTemplate extends AsyncDisposable {
  /** A built-in's name, else "file". */
  readonly name: string;
  /** The Jinja source that renders a conversation with or without tools. */
  source(withTools: boolean): string;
  /**
   * Throws UsageError with the template's words when it refuses the conversation, UnsupportedError when it has no place
   * for the tools, TemplateError when it fails or goes over its budget.
   */
  render(input: TemplateInput): Promise<RenderedPrompt>;
  /** Stops the thread, if one was needed. */
  close(): Promise<void>;
}

// Names that a template is given by us; a caller's variable must not change the conversation under another name.
const RESERVED = new Set(["messages", "tools", "add_generation_prompt"]);

/** The template of that name that Liang brings itself. Throws UsageError for other names. */
export function builtInTemplate(name: string, vocabulary: TemplateVocabulary): ChatTemplate {
  const source = builtInSource(name);
  if (source === undefined) {
    throw new UsageError(`There is no built-in chat template "${name}".`, {
      field: "template",
      hint: `There are ${builtInNames.join(", ")}.`,
    });
  }
  return createTemplate({ main: source, named: {} }, vocabulary, { name });
}

/** A template over Jinja sources; nothing is compiled before the first render. */
export function createTemplate(
  sources: TemplateSources,
  vocabulary: TemplateVocabulary,
  options: { name?: string; budget?: TemplateBudget; now?: () => number } = {},
): ChatTemplate {
  const { name = "file", budget = DEFAULT_BUDGET, now = Date.now } = options;
  const runner = createTemplateRunner(budget);
  const fitToolCalls = createToolCallFitter();

  async function renderText(
    source: string,
    variables: Readonly<Record<string, unknown>>,
    nowMs: number,
  ): Promise<string> {
    const job: JinjaJob = { source, variables, nowMs, outputUnits: budget.outputUnits };
    const isSafe = isVetted(source) || (await isVettedText(source));
    const result = isSafe ? renderJinja(job) : await runner.run(job);
    switch (result.kind) {
      case "text":
        return result.text;
      case "refused":
        throw new UsageError(`The model's chat template refuses the conversation: ${result.message}`, {
          field: "messages",
        });
      case "failed":
        throw new TemplateError("source", `The model's chat template does not render: ${result.message}.`);
      case "too-long":
        throw new TemplateError(
          "output",
          `The chat template wrote ${result.units} characters, more than the ${budget.outputUnits} that it may.`,
        );
    }
    return result satisfies never;
  }

  async function render(given: TemplateInput): Promise<RenderedPrompt> {
    const input = plainData(given);
    const tools = input.tools?.length ? input.tools : undefined;
    const source = chooseSource(sources, tools !== undefined);
    checkTools(source, input.messages, tools !== undefined);
    const nowMs = now();
    const run = ({ options, base }: Conversation): Promise<string> =>
      renderText(source, { documents: null, ...vocabulary.variables, ...options, ...base }, nowMs);
    const base = { tools: tools ?? null, add_generation_prompt: input.addGenerationPrompt };
    const messages = await fitToolCalls(input.messages, source, (probe) =>
      run({ options: {}, base: { ...base, messages: probe } }),
    );
    const conversation: Conversation = { options: checkOptions(input.options), base: { ...base, messages } };
    const text = await run(conversation);
    const written = JSON.stringify(conversation);
    const avoid = source + written + Object.values(vocabulary.variables).join("");
    for (const how of ["strict", "narrow"] as const) {
      const marking = createMarking(vocabulary.controlTexts, avoid, how);
      if (marking === undefined) break;
      const marked = markConversation(conversation, marking);
      if (JSON.stringify(marked) === written) return { text, plain: [] };
      const rendering = run(marked);
      const rendered = how === "strict" ? await rendering.catch(() => undefined) : await rendering;
      const prompt = rendered === undefined ? undefined : marking.unmark(rendered);
      if (prompt !== undefined && (how === "narrow" || prompt.text === text)) return prompt;
    }
    throw new UsageError("The messages use up the private-use characters that keep them apart from the template.", {
      field: "messages",
    });
  }

  return {
    name,
    source: (withTools) => chooseSource(sources, withTools),
    render,
    close: () => runner.close(),
    [Symbol.asyncDispose]: () => runner.close(),
  };
}

interface Conversation {
  readonly options: Readonly<Record<string, unknown>>;
  readonly base: { readonly messages: readonly TemplateMessage[]; readonly [name: string]: unknown };
}

/** A template is given data alone: functions would run on its word, and cannot go to another thread. */
function plainData(input: TemplateInput): TemplateInput {
  try {
    return JSON.parse(JSON.stringify(input)) as TemplateInput;
  } catch (cause) {
    throw new UsageError("The conversation is not plain data, as JSON could carry it.", { field: "messages", cause });
  }
}

function chooseSource({ main, named }: TemplateSources, withTools: boolean): string {
  const source = (withTools ? named["tool_use"] : undefined) ?? main ?? named["default"];
  if (source !== undefined) return source;
  throw new TemplateError(
    "source",
    `The model has chat templates ${Object.keys(named).join(", ")}, but no default one.`,
  );
}

/** Tools that a template never mentions would be ignored without a word. */
function checkTools(source: string, messages: readonly TemplateMessage[], offered: boolean): void {
  const called = messages.some((message) => message.tool_calls !== undefined);
  const missing = [offered && "tools", called && "tool_calls"].find((name) => name && !source.includes(name));
  if (!missing) return;
  throw new UnsupportedError("The model's chat template has no place for tools.", {
    hint: "Send the conversation without tools, or use a model that was made for them.",
  });
}

function checkOptions(options: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const taken = Object.keys(options).find((name) => RESERVED.has(name));
  if (taken === undefined) return options;
  throw new UsageError(`The template option "${taken}" is a name that the conversation has.`, {
    field: "templateOptions",
  });
}

/** Marks every text but the roles, which are a closed set that templates compare. */
function markConversation({ options, base }: Conversation, marking: Marking): Conversation {
  const messages = base.messages.map((message) => ({ ...(markDeep(message, marking) as object), role: message.role }));
  const others = Object.entries(base).map(([name, value]) => [name, markDeep(value, marking)]);
  return {
    options: markDeep(options, marking) as Conversation["options"],
    base: { ...Object.fromEntries(others), messages },
  };
}

function markDeep(value: unknown, marking: Marking): unknown {
  if (typeof value === "string") return marking.mark(value);
  if (Array.isArray(value)) return value.map((item) => markDeep(item, marking));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [marking.mark(name), markDeep(item, marking)]));
}
