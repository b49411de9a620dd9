// The whole life of a model through the command line, as a person would do it: texts → tokenizer → pretraining → answers →
// preferences → a smaller file → a chat that answers. A small world of six animals; what is asked at the end was learnt.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { uniform } from "../../src/base/random.ts";
import { liangIn } from "../cli/harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-life-"));
after(() => rm(folder, { recursive: true }));
const at = (...names: string[]): string => join(folder, ...names);
const { run } = liangIn(at("home"));

const ANIMALS = ["cat", "dog", "bird", "horse", "mouse", "duck"];
const PLACES = ["in the park", "at home", "in a tree", "on the hill", "under the table", "by the pond"];
const THINGS = ["a red ball", "an old bone", "a long worm", "some fresh hay", "yellow cheese", "green bread"];
const of = (list: readonly string[], ...draw: readonly [number, number]): number =>
  Math.floor(uniform(7, ...draw) * list.length);
const where = (animal: number): string => `The ${ANIMALS[animal]} is ${PLACES[animal]}.`;
const likes = (animal: number): string => `The ${ANIMALS[animal]} likes ${THINGS[animal]}.`;

/** Runs a command to its end and gives what it printed; the test fails where the command does. */
async function liang(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  assert.equal(code, 0, `liang ${args.join(" ")}\n${stderr}`);
  return stdout;
}

const asJsonLines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Stories of a few sentences about some animals, in any order. */
const stories = Array.from({ length: 600 }, (_, i) =>
  [0, 1, 2].map((n) => (uniform(8, n, i) < 0.5 ? where : likes)(of(ANIMALS, n, i))).join(" "),
);
const question = (animal: number, place: boolean): string =>
  place ? `Where is the ${ANIMALS[animal]}?` : `What does the ${ANIMALS[animal]} like?`;
const user = (content: string) => [{ role: "user", content }];
const THANKS = "Thank you for asking!";

const conversations = Array.from({ length: 400 }, (_, i) => {
  const [animal, place] = [of(ANIMALS, 1, i), uniform(9, 2, i) < 0.5];
  const answer = (place ? where : likes)(animal);
  const content = uniform(9, 3, i) < 0.5 ? answer : `${answer} ${THANKS}`;
  return { messages: [...user(question(animal, place)), { role: "assistant", content }] };
});
const preferences = Array.from({ length: 200 }, (_, i) => {
  const [animal, place] = [of(ANIMALS, 4, i), uniform(9, 5, i) < 0.5];
  const answer = (place ? where : likes)(animal);
  return { prompt: question(animal, place), chosen: `${answer} ${THANKS}`, rejected: answer };
});

const adamw = (rate: number) => ({ matrices: { name: "adamw", rate }, others: { name: "adamw", rate } });
const batch = { window: 64, rows: 512, tokens: 1024 };

async function train(stage: string, recipe: object): Promise<{ folder: string; loss: number; measures: Json }> {
  await writeFile(at(`${stage}.json`), JSON.stringify({ stage, batch, precision: "f32", seed: 1, ...recipe }));
  return JSON.parse(await liang("train", stage, "--recipe", at(`${stage}.json`), "--json")) as never;
}
type Json = Readonly<Record<string, number>>;

test("from texts to a chat that answers as it is wanted", { timeout: 300_000 }, async () => {
  await mkdir(at("raw"));
  await writeFile(at("raw/stories.jsonl"), asJsonLines(stories.map((text) => ({ text }))));
  await writeFile(at("raw/answers.jsonl"), asJsonLines(conversations));
  await writeFile(at("raw/wishes.jsonl"), asJsonLines(preferences));
  await writeFile(at("raw/all.txt"), [...stories, ...conversations.flatMap(({ messages }) => messages.map(({ content }) => content))].join("\n"));

  const marks = ["--special", "<|im_start|>", "--special", "<|im_end|>"];
  await liang("tokenizer", "train", at("raw/all.txt"), "--vocab", "400", ...marks, "-o", at("tokenizer"));
  for (const name of ["stories", "answers", "wishes"]) {
    await liang("data", "prepare", at(`raw/${name}.jsonl`), "--duplicates", "keep", "-o", at(name));
  }
  const pretrained = await train("pretrain", {
    model: {
      model_type: "llama",
      hidden_size: 64,
      intermediate_size: 128,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      max_position_embeddings: 128,
      tie_word_embeddings: true,
    },
    tokenizer: at("tokenizer"),
    data: at("stories"),
    steps: 100,
    optimizer: adamw(0.005),
  });
  console.log(pretrained);
  const taught = await train("sft", { model: pretrained.folder, data: at("answers"), steps: 100, optimizer: adamw(0.002) });
  console.log(taught);
  assert.match(await liang("run", taught.folder, "Where is the duck?", "--temperature", "0"), /by the pond/);
});
