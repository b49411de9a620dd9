// Traditional Chinese characters → simplified ones, as OpenCC's t2s has it: the longest phrase of its table that fits, else
// character by character. Most characters have one simplified form; phrases hold the words in which a character keeps
// another (乾坤, but 干 for a dry 乾). Not here: the other way, which needs a dictionary of words.
import { characters, phrases } from "./simplified-table.ts";

interface Table {
  readonly formOf: ReadonlyMap<string, string>;
  /** By the first UTF-16 unit: lengths in units of what begins with it in the table, the longest first. */
  readonly lengthsOf: readonly (readonly number[] | undefined)[];
}

let table: Table | undefined;

function readTable(): Table {
  const letters = Array.from(characters);
  const pairs = phrases.split(" ").map((pair) => pair.split("=") as [string, string]);
  for (let i = 0; i < letters.length; i += 2) pairs.push([letters[i], letters[i + 1]]);
  const lengthsOf = Array.from<number[] | undefined>({ length: 0x10000 });
  for (const [from] of pairs) {
    const { length } = from;
    const lengths = (lengthsOf[from.charCodeAt(0)] ??= []);
    if (!lengths.includes(length)) lengths.push(length);
  }
  for (const lengths of lengthsOf) lengths?.sort((a, b) => b - a);
  return { formOf: new Map(pairs), lengthsOf };
}

/** The text in simplified script, code point for code point; what is no traditional character stays as it is. */
export function simplified(text: string): string {
  const { formOf, lengthsOf } = (table ??= readTable());
  let result = "";
  let done = 0;
  for (let i = 0; i < text.length; i++) {
    for (const length of lengthsOf[text.charCodeAt(i)] ?? []) {
      const form = formOf.get(text.slice(i, i + length));
      if (form === undefined) continue;
      result += text.slice(done, i) + form;
      done = i + length;
      i = done - 1;
      break;
    }
  }
  return result + text.slice(done);
}
