// Rows of JSON data: a value a line (JSONL), or one list over the whole file, read an element at a time. What is broken
// is a row too, with its reason, so that the reader goes on behind it and nothing is dropped in silence.
import { LINE_UNITS_MAX, type TextLine, textLines } from "./text-lines.ts";

export type DataRow =
  /** `line`: where the row begins, from 1 (of Parquet: the row's number, from 1). */
  { readonly line: number; readonly value: unknown } | { readonly line: number; readonly broken: string };

/** Rows of JSONL, or of a file that is one JSON list: told by the first character that is no blank. */
export async function* jsonRows(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<DataRow> {
  const lines = textLines(chunks, name);
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const line = next.value;
    if (line.text.trim() === "") continue;
    if (line.text.trimStart().startsWith("[")) {
      yield* listElements(line, lines);
      return;
    }
    yield parsed(line.text, line.number);
    for await (const { text, number } of lines) if (text.trim() !== "") yield parsed(text, number);
  }
}

function parsed(text: string, line: number): DataRow {
  try {
    return { line, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { line, broken: `no JSON: ${(error as Error).message}` };
  }
}

const STRUCTURE = /["[\]{},]/g;
const STRING_END = /["\\]/g;

/** Elements of a list by their brackets alone; JSON.parse judges each. Memory holds one element at a time. */
async function* listElements(first: TextLine, rest: AsyncIterable<TextLine>): AsyncGenerator<DataRow> {
  let element = "";
  let begin = first.number; // line of the element's first character
  let depth = 0;
  let inString = false;

  function* scan({ number, text }: TextLine): Generator<DataRow> {
    let from = 0;
    let at = 0;
    const take = (end: number): DataRow | undefined => {
      const whole = element + text.slice(from, end);
      from = end + 1;
      element = "";
      const row = whole.trim() === "" ? undefined : parsed(whole, begin);
      begin = number;
      return row;
    };
    while (at < text.length) {
      const pattern = inString ? STRING_END : STRUCTURE;
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found === null) break;
      at = found.index + 1;
      const character = found[0];
      if (inString) {
        if (character === "\\") at++;
        else inString = false;
      } else if (character === '"') inString = true;
      else if (character === "[" || character === "{") {
        if (depth === 0) from = at;
        depth++;
      } else if (character === ",") {
        const row = depth === 1 ? take(found.index) : undefined;
        if (row !== undefined) yield row;
      } else if (--depth === 0) {
        const row = take(found.index);
        if (row !== undefined) yield row;
      } else if (depth < 0) {
        depth = 0;
        from = at;
        yield { line: number, broken: "brackets that close without having opened" };
      }
    }
    if (depth > 0) element += `${text.slice(from)}\n`;
    else if (text.slice(from).trim() !== "") yield { line: number, broken: "text outside of the list" };
    if (element.trim() === "") begin = number + 1;
  }

  yield* scan(first);
  for await (const line of rest) {
    yield* scan(line);
    if (element.length > LINE_UNITS_MAX) {
      yield { line: begin, broken: `an element of over ${LINE_UNITS_MAX} characters` };
      return;
    }
  }
  if (depth > 0) yield { line: begin, broken: "the file ends inside of its list" };
}
