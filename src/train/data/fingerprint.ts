// What tells the words of one model from those of another: a hash of vocabulary, special ids and chat template. It lies
// with tokens, checkpoints and adapters, and is compared before these are used.
import { createHash } from "node:crypto";
import type { ChatTemplate } from "../../text/template.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";

/** SHA-256 in hexadecimal. */
export function wordsFingerprint({
  tokenizer,
  template,
}: {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
}): string {
  const hash = createHash("sha256");
  const { kind, vocabularySize, specials, addBos, addEos } = tokenizer;
  const { endOfGeneration, ...roles } = specials;
  const ends = [...endOfGeneration].sort((a, b) => a - b);
  hash.update(JSON.stringify([kind, vocabularySize, addBos, addEos, Object.entries(roles), ends]));
  for (let id = 0; id < vocabularySize; id++) {
    hash.update(`\n${JSON.stringify(tokenizer.tokenText(id))} ${tokenizer.tokenClass(id)}`);
  }
  hash.update(`\n${JSON.stringify([template.source(false), template.source(true)])}`);
  return hash.digest("hex");
}
