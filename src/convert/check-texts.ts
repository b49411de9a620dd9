// Compares two tokenizers that must be one: the same tokens, roles, and ids of sample texts.
import { FormatError } from "../base/errors.ts";
import type { SpecialTokens, Tokenizer } from "../text/tokenizer.ts";

/** Words, numbers, spaces, scripts, emoji, code, bytes: what tokenizers cut differently. */
const SAMPLES: readonly string[] = [
  "",
  " ",
  "Hello, world!",
  "  two  spaces and a trailing one ",
  "I'm sure they'll say IT'S fine; we've 12345 reasons, 3.14 of them good.",
  "line\nline\r\n\n\n\tindented\t\ttwice",
  'function add(a, b) { return a + b; } // 100% ==> "done"',
  "床前明月光，疑是地上霜。举头望明月，低头思故乡。",
  "Привет, мир! Καλημέρα κόσμε. שלום עולם. مرحبا بالعالم. नमस्ते दुनिया",
  "こんにちは世界 안녕하세요 세계 สวัสดีชาวโลก",
  "naïve café Ǆ ﬁ ½ ² µ",
  "🙂👩‍👩‍👧‍👦🏳️‍🌈 e̷m̷o̷j̷i̷",
  "\u0000\u0001\u007f\u00a0\u200b\ufeff",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!!!!!!!!!!!!!!!!",
];

/**
 * Throws FormatError for the first difference; returns how many texts were compared. `promoted`: tokens that only one of
 * them takes for control tokens, by their spelling.
 */
export function compareTokenizers(
  file: string,
  from: Tokenizer,
  to: Tokenizer,
  promoted: ReadonlySet<number> = new Set(),
): number {
  const fail = (field: string, found: unknown, expected: unknown): never => {
    throw new FormatError(file, field, found, JSON.stringify(expected));
  };
  // GGUF fills the vocabulary up to the embedding's rows with tokens of no use
  for (let id = 0; id < Math.min(from.vocabularySize, to.vocabularySize); id++) {
    if (from.tokenClass(id) === "unused" || to.tokenClass(id) === "unused") continue;
    const [text, again] = [spellingOf(from, id), spellingOf(to, id)];
    if (text !== again) fail(`token ${id}`, again, text);
    if (!promoted.has(id) && classOf(from, id) !== classOf(to, id))
      fail(`class of token ${id}`, to.tokenClass(id), from.tokenClass(id));
  }
  const longer = from.vocabularySize > to.vocabularySize ? from : to;
  for (let id = Math.min(from.vocabularySize, to.vocabularySize); id < longer.vocabularySize; id++) {
    if (longer.tokenClass(id) !== "unused") fail(`token ${id}`, longer.tokenText(id), "none");
  }
  for (const role of [
    "bos",
    "eos",
    "unknown",
    "pad",
    "separator",
    "classifier",
    "mask",
  ] as const satisfies (keyof SpecialTokens)[]) {
    // without a word on it, GGUF has ids by default
    if (from.specials[role] !== undefined && from.specials[role] !== to.specials[role])
      fail(`${role} id`, to.specials[role], from.specials[role]);
  }
  const samples = [...SAMPLES, specialText(from, promoted)];
  for (const sample of samples) {
    for (const options of [{ bos: true }, { special: true }]) {
      const expected = from.encode(sample, options);
      const found = to.encode(sample, options);
      if (String(found) !== String(expected)) fail(`ids of ${JSON.stringify(sample)}`, found, expected);
      const [text, again] = [from.decode(expected), to.decode(expected)];
      if (text !== again) fail(`text of ids ${expected.slice(0, 8).join()}`, again, text);
    }
  }
  return samples.length;
}

/** Folders and GGUF mark other pieces of words, so WordPiece's are compared by the text that they stand for. */
function spellingOf(tokenizer: Tokenizer, id: number): string {
  if (tokenizer.kind !== "wordpiece") return tokenizer.tokenText(id);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(tokenizer.tokenBytes(id));
}

/** A folder does not tell the unknown token from control tokens. */
function classOf(tokenizer: Tokenizer, id: number): string {
  const tokenClass = tokenizer.tokenClass(id);
  return tokenClass === "unknown" ? "control" : tokenClass;
}

/** The control tokens in a row with words between, as a chat prompt has them. */
function specialText(tokenizer: Tokenizer, promoted: ReadonlySet<number>): string {
  const texts: string[] = [];
  for (let id = 0; id < tokenizer.vocabularySize && texts.length < 64; id++) {
    if (tokenizer.tokenClass(id) === "control" && !promoted.has(id)) texts.push(tokenizer.tokenText(id));
  }
  return texts.join("user\n");
}
