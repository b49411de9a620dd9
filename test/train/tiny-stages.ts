// Data for the stages that compare: answers in the right and the wrong order of words, texts about the same thing.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { uniform } from "../../src/base/random.ts";
import { trainTokenizer, writeTokenizer } from "../../src/text/training/index.ts";
import { prepareData } from "../../src/train/data/prepare.ts";
import { type Recipe } from "../../src/train/recipe.ts";
import { prepareTinyData, tinyRecipe } from "./tiny-run.ts";

const WHO = ["The cat", "A dog", "My friend", "The old man", "A little bird", "Her mother"];
const WHAT = ["a ball", "the red box", "some bread", "a big tree", "the moon", "his hat"];
const pick = (list: readonly string[], part: number, i: number): string =>
  list[Math.floor(uniform(7, part, i) * list.length)];

/** {prompt, chosen, rejected}: who sees what, and the other way round. */
export const pairRow = (i: number): object => {
  const [who, what] = [pick(WHO, 0, i), pick(WHAT, 1, i)];
  return { prompt: `What of ${what} ${i}?`, chosen: `${who} sees ${what}.`, rejected: `sees ${what} ${who}.` };
};

/** {query, positive, negative}: two sentences about a thing, and one about another. */
export const tripleRow = (i: number): object => {
  const place = Math.floor(uniform(7, 2, i) * WHAT.length);
  const [what, other] = [WHAT[place], WHAT[(place + 1) % WHAT.length]];
  return {
    query: `${pick(WHO, 3, i)} sees ${what} ${i}.`,
    positive: `${what} is here, ${i}.`,
    negative: `${other} is here, ${i}.`,
  };
};

/** Rows → the prepared folder `<folder>/<name>`. */
export async function prepareRows(folder: string, name: string, rows: readonly object[]): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(folder, "rows"), { recursive: true });
  const file = join(folder, "rows", `${name}.jsonl`);
  await writeFile(file, rows.map((row) => JSON.stringify(row)).join("\n"));
  await prepareData([file], path, { duplicates: "keep", alike: 1, validationShare: 0.2 });
  return path;
}

export async function prepareStages(folder: string, count = 40): Promise<void> {
  await prepareTinyData(folder, 60);
  const numbers = Array.from({ length: count }, (_, i) => i);
  await prepareRows(folder, "pairs", numbers.map(pairRow));
  await prepareRows(folder, "triples", numbers.map(tripleRow));
}

/** The tokenizer `<folder>/masking`, which has a token that hides others, and a small encoder. */
export async function encoderRecipe(folder: string, settings: readonly string[] = []): Promise<Recipe> {
  const tokenizer = join(folder, "masking");
  const files = [join(folder, "raw/texts.jsonl")];
  await writeTokenizer(tokenizer, await trainTokenizer({ files }, { kind: "wordpiece", vocabularySize: 200 }));
  const model = {
    model_type: "bert",
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    max_position_embeddings: 64,
  };
  const optimizer = { matrices: { name: "adamw", rate: 0.005 }, others: { name: "adamw", rate: 0.005 } };
  return tinyRecipe(folder, settings, { model, tokenizer, optimizer });
}

/** The tiny model in another stage, with steps that move it quickly. */
export const stageRecipe = (folder: string, stage: string, data: string, settings: readonly string[] = []): Recipe =>
  tinyRecipe(folder, [
    `stage=${stage}`,
    `data=${join(folder, data)}`,
    'optimizer={"matrices":{"name":"adamw","rate":0.003},"others":{"name":"adamw","rate":0.003}}',
    ...settings,
  ]);
