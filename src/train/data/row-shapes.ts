// Rows of data files → records: plain texts, prompt and completion, Alpaca's instructions, ShareGPT's conversations,
// OpenAI's messages with tools. The fields tell which; a row that fits none is broken, with the reason.
import { show } from "../../base/errors.ts";
import type { Tool, ToolCall } from "../../chat/types.ts";
import type { ConversationRecord, DataRecord, TrainingMessage } from "./record.ts";

type Row = Readonly<Record<string, unknown>>;

/** Why a row is no record. */
export class BrokenRow extends Error {}

const isRow = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);

/** Each shape's fields, and what makes a record of them; the first whose fields are all there is taken. */
const SHAPES: readonly (readonly [fields: readonly string[], read: (row: Row) => DataRecord])[] = [
  [["messages"], (row) => conversation(turns(row, "messages"), row)],
  [["conversations"], (row) => conversation(turns(row, "conversations"), row)],
  [["conversation"], (row) => conversation(turns(row, "conversation"), row)],
  [["instruction", "output"], alpaca],
  [["instruction", "response"], (row) => alpaca({ ...row, output: row["response"] })],
  [["prompt", "response"], (row) => exchange(row, textField(row, "prompt"), textField(row, "response"))],
  [["prompt", "completion"], (row) => exchange(row, textField(row, "prompt"), textField(row, "completion"))],
  [["text"], (row) => ({ text: textField(row, "text") })],
  [["content"], (row) => ({ text: textField(row, "content") })],
];

/** Throws BrokenRow. `text`: how a text is composed of the row's fields, as "{title}\n{text}". */
export function recordOfRow(value: unknown, text?: string): DataRecord {
  if (typeof value === "string" && text === undefined) return { text: value };
  if (!isRow(value)) throw new BrokenRow(`the row is ${show(value)}, expected an object`);
  if (text !== undefined) return { text: text.replaceAll(/\{(\w+)\}/g, (_, name: string) => textField(value, name)) };
  const shape = SHAPES.find(([fields]) => fields.every((name) => value[name] !== undefined && value[name] !== null));
  if (shape !== undefined) return shape[1](value);
  const known = SHAPES.map(([fields]) => fields.join("+")).join(", ");
  throw new BrokenRow(`the row has fields ${Object.keys(value).join(", ") || "none"}, expected one of ${known}`);
}

function textField(row: Row, name: string): string {
  const value = row[name];
  if (typeof value === "string") return value;
  throw new BrokenRow(`field ${name} is ${value === undefined ? "missing" : show(value)}, expected a text`);
}

const optionalText = (row: Row, name: string): string | undefined =>
  row[name] === undefined || row[name] === null || row[name] === "" ? undefined : textField(row, name);

function listField(row: Row, name: string): unknown[] {
  const value = row[name];
  if (Array.isArray(value)) return value;
  throw new BrokenRow(`field ${name} is ${show(value)}, expected a list`);
}

function alpaca(row: Row): ConversationRecord {
  const input = optionalText(row, "input");
  const instruction = textField(row, "instruction");
  return exchange(row, input === undefined ? instruction : `${instruction}\n${input}`, textField(row, "output"));
}

/** A question and its answer, behind the earlier ones of `history` ([question, answer] pairs). */
function exchange(row: Row, question: string, answer: string): ConversationRecord {
  const history = row["history"] === undefined || row["history"] === null ? [] : listField(row, "history");
  const earlier = history.flatMap((pair): TrainingMessage[] => {
    if (Array.isArray(pair) && pair.length === 2 && pair.every((side) => typeof side === "string")) {
      return [user(pair[0]), assistant(pair[1])];
    }
    throw new BrokenRow(`field history has ${show(pair)}, expected pairs of texts`);
  });
  return conversation([...earlier, user(question), assistant(answer)], row);
}

const user = (content: string): TrainingMessage => ({ role: "user", content });
const assistant = (content: string): TrainingMessage => ({ role: "assistant", content });

/** Puts the row's system prompt first and its tools beside, and sees that there is something to learn. */
function conversation(messages: readonly TrainingMessage[], row: Row): ConversationRecord {
  const system = optionalText(row, "system");
  const whole: TrainingMessage[] = [
    ...(system === undefined ? [] : [{ role: "system", content: system } as const]),
    ...messages,
  ];
  if (!whole.some(({ role }) => role === "assistant")) throw new BrokenRow("no message is an assistant's");
  const tools = toolsOf(row["tools"]);
  return { messages: whole, ...(tools.length > 0 && { tools }) };
}

function toolsOf(given: unknown): Tool[] {
  if (given === undefined || given === null || given === "") return [];
  const list = typeof given === "string" ? json(given, "tools") : given;
  if (!Array.isArray(list)) throw new BrokenRow(`field tools is ${show(list)}, expected a list`);
  return list.map((tool: unknown): Tool => {
    if (!isRow(tool)) throw new BrokenRow(`a tool is ${show(tool)}, expected an object`);
    if (isRow(tool["function"])) return tool as unknown as Tool;
    textField(tool, "name");
    return { type: "function", function: tool as unknown as Tool["function"] };
  });
}

function json(text: string, field: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new BrokenRow(`field ${field} is ${show(text)}, expected JSON`);
  }
}

/** Other names of roles, as data sets have them. */
const ROLES: Readonly<Record<string, TrainingMessage["role"] | "call">> = {
  system: "system",
  developer: "developer",
  user: "user",
  human: "user",
  prompter: "user",
  assistant: "assistant",
  gpt: "assistant",
  chatgpt: "assistant",
  bot: "assistant",
  model: "assistant",
  tool: "tool",
  observation: "tool",
  function_response: "tool",
  function_call: "call",
  tool_call: "call",
};

function turns(row: Row, field: string): TrainingMessage[] {
  return listField(row, field).flatMap((turn, index): TrainingMessage[] => {
    if (!isRow(turn)) throw new BrokenRow(`${field}[${index}] is ${show(turn)}, expected an object`);
    if (typeof turn["human"] === "string" && typeof turn["assistant"] === "string") {
      return [user(turn["human"]), assistant(turn["assistant"])];
    }
    const from = turn["role"] ?? turn["from"];
    const role = typeof from === "string" && Object.hasOwn(ROLES, from) ? ROLES[from] : undefined;
    if (role === undefined) {
      throw new BrokenRow(
        `${field}[${index}] is of role ${show(from)}, expected one of ${Object.keys(ROLES).join(", ")}`,
      );
    }
    if (role === "call") return [{ role: "assistant", content: null, tool_calls: callsOf(textField(turn, "value")) }];
    return [message(role, turn, `${field}[${index}]`)];
  });
}

function message(role: TrainingMessage["role"], turn: Row, field: string): TrainingMessage {
  const content = turn["content"] ?? turn["value"] ?? null;
  const calls = turn["tool_calls"];
  const isContent =
    content === null ? Array.isArray(calls) && calls.length > 0 : typeof content === "string" || Array.isArray(content);
  if (!isContent) throw new BrokenRow(`${field} has content ${show(content)}, expected a text`);
  const optional = ["name", "tool_call_id", "reasoning_content", "weight"].filter(
    (name) => turn[name] !== undefined && turn[name] !== null,
  );
  return {
    role,
    content: content as TrainingMessage["content"],
    ...(Array.isArray(calls) && calls.length > 0 && { tool_calls: calls as ToolCall[] }),
    ...Object.fromEntries(optional.map((name) => [name, turn[name]])),
  };
}

/** ShareGPT's calls: one {name, arguments} as JSON text, or a list of these. */
function callsOf(text: string): ToolCall[] {
  const value = json(text, "function_call");
  return (Array.isArray(value) ? value : [value]).map((call: unknown): ToolCall => {
    if (!isRow(call)) throw new BrokenRow(`a function call is ${show(call)}, expected an object`);
    return { type: "function", function: { name: textField(call, "name"), arguments: call["arguments"] as string } };
  });
}
