// The parts of rows that several shapes have: fields that are texts or lists, messages under the names that data sets give
// them, tools. Not here: which fields make what (row-shapes.ts, pair-shapes.ts).
import { show } from "../../base/errors.ts";
import type { Tool, ToolCall } from "../../chat/types.ts";
import type { TrainingMessage } from "./record.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Why a row is no record. */
export class BrokenRow extends Error {}

export const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function textField(row: Row, name: string): string {
  const value = row[name];
  if (typeof value === "string") return value;
  throw new BrokenRow(`field ${name} is ${value === undefined ? "missing" : show(value)}, expected a text`);
}

export const optionalText = (row: Row, name: string): string | undefined =>
  row[name] === undefined || row[name] === null || row[name] === "" ? undefined : textField(row, name);

export function listField(row: Row, name: string): unknown[] {
  const value = row[name];
  if (Array.isArray(value)) return value;
  throw new BrokenRow(`field ${name} is ${show(value)}, expected a list`);
}

export const user = (content: string): TrainingMessage => ({ role: "user", content });
export const assistant = (content: string): TrainingMessage => ({ role: "assistant", content });

export function toolsOf(given: unknown): Tool[] {
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

export function turns(row: Row, field: string): TrainingMessage[] {
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
