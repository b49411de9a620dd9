// A folder with the golden T5 and a tokenizer of letters: what tests of models that read a source load.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const golden = resolve(import.meta.dirname, "../golden/families/t5");
export const EOS = 1;
/** Of 320 ids those of letters: "▁" is 3, "a" 4. */
const letters = Array.from({ length: 26 }, (_, i) => String.fromCodePoint(97 + i));
export const idsOf = (word: string): number[] => word.split("").map((letter) => 4 + letters.indexOf(letter));

/** Makes the folder; it goes when it is disposed of. */
export async function sourceFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "liang-source-"));
  await cp(golden, folder, { recursive: true });
  const pieces = ["<pad>", "</s>", "<unk>", "▁", ...letters];
  const fillers = Array.from({ length: 320 - pieces.length }, (_, i) => `▁piece${i}`);
  const special = pieces.slice(0, 3).map((content, id) => ({ id, content, special: true, normalized: false }));
  const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
  const tokenizer = {
    version: "1.0",
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: metaspace,
    decoder: metaspace,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
      pair: [],
      special_tokens: { "</s>": { id: "</s>", ids: [EOS], tokens: ["</s>"] } },
    },
    model: { type: "Unigram", unk_id: 2, vocab: [...pieces, ...fillers].map((piece, i) => [piece, -i]) },
  };
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
