// Rows of data files → records: plain texts, prompt and completion, Alpaca's instructions, ShareGPT's conversations,
// OpenAI's messages with tools, and what pair-shapes.ts reads. The fields tell which; a row that fits none is broken, with
// the reason.
import { show } from "../../base/errors.ts";
import { markedReply, preference, retrieval, verdict } from "./pair-shapes.ts";
import type { ConversationRecord, DataRecord, TrainingMessage } from "./record.ts";
import {
  BrokenRow,
  type Row,
  assistant,
  isRow,
  listField,
  optionalText,
  textField,
  toolsOf,
  turns,
  user,
} from "./row-fields.ts";

/** Each shape's fields, and what makes a record of them; the first whose fields are all there is taken. */
const SHAPES: readonly (readonly [fields: readonly string[], read: (row: Row) => DataRecord])[] = [
  [["messages", "reply", "mark"], verdict],
  [["chosen", "rejected"], preference],
  [["prompt", "completion", "label"], markedReply],
  [["messages", "completion", "label"], markedReply],
  [["query", "positive"], (row) => retrieval(row, "query")],
  [["anchor", "positive"], (row) => retrieval(row, "anchor")],
  [["source", "target"], (row) => retrieval(row, "source", "target")],
  [["messages"], (row) => conversation(turns(row, "messages"), row)],
  [["conversations"], (row) => conversation(turns(row, "conversations"), row)],
  [["conversation"], (row) => conversation(turns(row, "conversation"), row)],
  [["instruction", "output"], alpaca],
  [["instruction", "response"], (row) => alpaca({ ...row, output: row["response"] })],
  [["prompt", "response"], (row) => exchange(row, textField(row, "prompt"), textField(row, "response"))],
  [["prompt", "completion"], (row) => exchange(row, textField(row, "prompt"), textField(row, "completion"))],
  [["input", "output"], (row) => retrieval(row, "input", "output")],
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
