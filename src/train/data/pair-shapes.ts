// Rows that compare: a better and a worse answer, an answer with a mark, a query with what belongs to it. Not here: how
// rows are told apart (row-shapes.ts).
import { show } from "../../base/errors.ts";
import type { PreferenceRecord, RetrievalRecord, TrainingMessage } from "./record.ts";
import { BrokenRow, type Row, assistant, isRow, optionalText, textField, toolsOf, turns, user } from "./row-fields.ts";

const isText = (value: unknown): value is string => typeof value === "string";

/** A text, or a list of messages. */
const answer = (row: Row, field: string): TrainingMessage[] =>
  isText(row[field]) ? [assistant(textField(row, field))] : turns(row, field);

/** What was asked: `prompt`, a text or messages, else `messages`; the row's system prompt first. */
function question(row: Row): TrainingMessage[] {
  const asked = [row["prompt"], row["messages"]].findIndex((value) => value !== undefined && value !== null);
  const field = ["prompt", "messages"][asked];
  const messages = field === undefined ? [] : isText(row[field]) ? [user(textField(row, field))] : turns(row, field);
  const system = optionalText(row, "system");
  return system === undefined ? messages : [{ role: "system", content: system }, ...messages];
}

function record(row: Row, sides: Omit<PreferenceRecord, "tools">): PreferenceRecord {
  const { prompt, ...answers } = sides;
  if (prompt.length === 0) throw new BrokenRow("nothing is asked before the answers");
  if (JSON.stringify(answers.chosen) === JSON.stringify(answers.rejected)) {
    throw new BrokenRow("chosen and rejected say the same");
  }
  for (const [name, messages] of Object.entries(answers)) {
    if (messages.at(-1)?.role !== "assistant") throw new BrokenRow(`${name} does not end with an assistant's message`);
  }
  const tools = toolsOf(row["tools"]);
  return { ...sides, ...(tools.length > 0 && { tools }) };
}

/**
 * {prompt, chosen, rejected}: answers, or whole conversations of which the beginning that both have in common is what was
 * asked (as Hugging Face's preference sets have either).
 */
export function preference(row: Row): PreferenceRecord {
  const [chosen, rejected] = [answer(row, "chosen"), answer(row, "rejected")];
  const differs = chosen.findIndex((message, i) => JSON.stringify(message) !== JSON.stringify(rejected[i]));
  const shared = chosen.slice(0, differs < 0 ? chosen.length : differs);
  const isWhole = shared.length > 0 && shared[0].role !== "assistant";
  const prompt = isWhole ? shared : [...question(row), ...shared];
  return record(row, { prompt, chosen: chosen.slice(shared.length), rejected: rejected.slice(shared.length) });
}

/** {prompt, completion, label}: an answer that is good or not. */
export function markedReply(row: Row): PreferenceRecord {
  const label = row["label"];
  const isGood = label === true || label === 1;
  if (!isGood && label !== false && label !== 0) {
    throw new BrokenRow(`field label is ${show(label)}, expected true or false`);
  }
  const given = answer(row, "completion");
  return record(row, { prompt: question(row), ...(isGood ? { chosen: given } : { rejected: given }) });
}

/** {messages, reply, mark, rewrite?}: what a person said of a reply. A rewrite is better than the reply, however that is marked. */
export function verdict(row: Row): PreferenceRecord {
  const { mark } = row;
  if (mark !== "good" && mark !== "bad") throw new BrokenRow(`field mark is ${show(mark)}, expected good or bad`);
  const reply = isRow(row["reply"]) ? turns({ reply: [row["reply"]] }, "reply") : [assistant(textField(row, "reply"))];
  const rewrite = optionalText(row, "rewrite");
  const prompt = question({ ...row, prompt: undefined });
  if (rewrite !== undefined) return record(row, { prompt, chosen: [assistant(rewrite)], rejected: reply });
  return record(row, { prompt, ...(mark === "good" ? { chosen: reply } : { rejected: reply }) });
}

/** {query, positive, negative?}; a text and what is written of it. */
export function retrieval(
  row: Row,
  query: "query" | "anchor" | "source" | "input",
  positive: "positive" | "target" | "output" = "positive",
): RetrievalRecord {
  const negative = optionalText(row, "negative");
  return {
    query: textField(row, query),
    positive: textField(row, positive),
    ...(negative !== undefined && { negative }),
  };
}
