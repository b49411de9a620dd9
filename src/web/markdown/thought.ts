// Parts the thinking that some models write first, `<think> … </think>`, from the answer. Pure text; also right while
// only a piece of the opening mark has come.
export interface ThoughtfulText {
  /** undefined: the reply has no thinking part. */
  readonly thought: string | undefined;
  readonly thoughtEnded: boolean;
  readonly answer: string;
}

const OPEN = "<think>";
const CLOSE = "</think>";

export function splitThought(text: string): ThoughtfulText {
  const body = text.trimStart();
  const close = text.indexOf(CLOSE);
  // Some templates put the opening mark into the prompt, so that the reply holds only the closing one.
  if (close >= 0 && (body.startsWith(OPEN) || !text.slice(0, close).includes("<"))) {
    const start = body.startsWith(OPEN) ? text.indexOf(OPEN) + OPEN.length : 0;
    const thought = text.slice(start, close).trim();
    const answer = text.slice(close + CLOSE.length).trimStart();
    return { thought: thought === "" ? undefined : thought, thoughtEnded: true, answer };
  }
  if (body.startsWith(OPEN)) {
    const thought = body.slice(OPEN.length).trimStart();
    return { thought, thoughtEnded: false, answer: "" };
  }
  if (body !== "" && OPEN.startsWith(body)) return { thought: undefined, thoughtEnded: false, answer: "" };
  return { thought: undefined, thoughtEnded: true, answer: text };
}
