// What a modified Kneser-Ney model reaches on prepared poems, which the language model has to beat:
//   node --max-old-space-size=8000 recipes/liang-shi/baseline.ts --poems FOLDER [--order 4] [--vocabulary 6144]
// Prints nats per character of the validation poems, each poem evaluated whole, its end counted as a character. A character
// that is not among the most common of training (all, where no vocabulary is given) is one unknown token.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../../src/base/errors.ts";
import { trainKneserNey } from "../../src/eval/ngram/kneser-ney.ts";
import type { Poem } from "./prepare.ts";

const { values } = parseArgs({
  options: {
    poems: { type: "string" },
    order: { type: "string", default: "4" },
    vocabulary: { type: "string", default: "Infinity" },
  },
});
if (values.poems === undefined)
  throw new UsageError("Give --poems, the folder that prepare.ts wrote.", { field: "poems" });
const folder = values.poems;

const texts = (name: string): string[] =>
  readFileSync(join(folder, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as Poem).text);

const train = texts("train.jsonl");
const frequencies = new Map<string, number>();
for (const text of train) for (const letter of text) frequencies.set(letter, (frequencies.get(letter) ?? 0) + 1);
const common = [...frequencies].sort((a, b) => b[1] - a[1]).slice(0, Number(values.vocabulary));
const ids = new Map(common.map(([letter], id) => [letter, id]));
const unknown = ids.size;
const encode = (text: string): Int32Array => Int32Array.from(text, (letter) => ids.get(letter) ?? unknown);
const model = trainKneserNey(train.map(encode), unknown + 1, Number(values.order));

let nats = 0;
let characters = 0;
let unknowns = 0;
for (const text of texts("validation.jsonl")) {
  const sentence = encode(text);
  unknowns += sentence.filter((id) => id === unknown).length;
  for (const value of model.logProbabilities(sentence)) nats -= value;
  characters += sentence.length + 1;
}
console.log(
  JSON.stringify({
    order: model.order,
    nats: nats / characters,
    characters,
    unknowns,
    counts: model.counts,
    discounts: model.discounts,
  }),
);
