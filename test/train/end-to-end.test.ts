// The whole life of a model through the command line, as a person would do it: texts → tokenizer → pretraining → answers →
// preferences → a smaller file → a chat that answers. A small world of six animals; what is asked at the end was learnt.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { uniform } from "../../src/base/random.ts";
import { load } from "../../src/chat/load.ts";
import { liangIn } from "../cli/harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-life-"));
after(() => rm(folder, { recursive: true }));
const at = (...names: string[]): string => join(folder, ...names);
const program = liangIn(at("home"));

const ANIMALS = ["cat", "dog", "bird", "horse", "mouse", "duck"];
const PLACES = ["in the park", "at home", "in a tree", "on the hill", "under the table", "by the pond"];
const THINGS = ["a red ball", "an old bone", "a long worm", "some fresh hay", "yellow cheese", "green bread"];
const of = (list: readonly string[], ...draw: readonly [number, number]): number =>
  Math.floor(uniform(7, ...draw) * list.length);
const where = (animal: number): string => `The ${ANIMALS[animal]} is ${PLACES[animal]}.`;
const likes = (animal: number): string => `The ${ANIMALS[animal]} likes ${THINGS[animal]}.`;

/** Runs a command to its end and gives what it printed; the test fails where the command does. */
async function liang(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await program.run(args);
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
interface Step {
  readonly type: string;
  readonly loss: number;
  readonly measures?: Readonly<Record<string, number>>;
}

/** Runs a stage; gives its last checkpoint and what was written of its last step. */
async function train(stage: string, recipe: object): Promise<{ checkpoint: string; last: Step }> {
  const common = { batch: { window: 64, rows: 512, tokens: 1024 }, precision: "f32", seed: 1 };
  await writeFile(at(`${stage}.json`), JSON.stringify({ stage, ...common, ...recipe }));
  const { checkpoint } = JSON.parse(await liang("train", stage, "--recipe", at(`${stage}.json`), "--json")) as {
    checkpoint: string;
  };
  const lines = (await readFile(at("home/runs", stage, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
  const steps = lines.map((line) => JSON.parse(line) as Step).filter(({ type }) => type === "step");
  return { checkpoint, last: steps.at(-1)! };
}

test("from texts to a chat that answers as it is wanted", { timeout: 300_000 }, async () => {
  await mkdir(at("raw"));
  await writeFile(at("raw/stories.jsonl"), asJsonLines(stories.map((text) => ({ text }))));
  await writeFile(at("raw/answers.jsonl"), asJsonLines(conversations));
  await writeFile(at("raw/wishes.jsonl"), asJsonLines(preferences));
  await writeFile(
    at("raw/all.txt"),
    [...stories, ...conversations.flatMap(({ messages }) => messages.map(({ content }) => content))].join("\n"),
  );

  const marks = ["--special", "<|im_start|>", "--special", "<|im_end|>"];
  await liang("tokenizer", "train", at("raw/all.txt"), "--vocab", "400", ...marks, "-o", at("tokenizer"));
  // alike questions are on one side of a split: of these none is held out, since all are asked in the end
  for (const [name, share] of [
    ["stories", "0.02"],
    ["answers", "0"],
    ["wishes", "0"],
  ]) {
    await liang(
      "data",
      "prepare",
      at(`raw/${name}.jsonl`),
      "--duplicates",
      "keep",
      "--validation",
      share,
      "-o",
      at(name),
    );
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
  // all that cannot be foretold is which of twelve sentences come: three times ln 12 nats of some twenty tokens
  assert.ok(pretrained.last.loss < 0.5, `pretraining came to ${pretrained.last.loss} nats a token`);
  const taught = await train("sft", {
    model: pretrained.checkpoint,
    data: at("answers"),
    steps: 150,
    optimizer: adamw(0.005),
  });
  // whether thanks follow is one bit of some twelve tokens
  assert.ok(taught.last.loss < 0.1, `answers came to ${taught.last.loss} nats a token`);
  const polite = await train("dpo", {
    model: taught.checkpoint,
    data: at("wishes"),
    steps: 30,
    optimizer: adamw(0.0002),
  });
  assert.ok(polite.last.loss < Math.LN2 - 0.05, `preferences came to ${polite.last.loss}, from ln 2`);
  assert.equal(polite.last.measures?.["accuracy"], 1);
  const small = at("small.gguf");
  await liang("quantize", polite.checkpoint, "Q8_0", "-o", small);
  assert.ok((await stat(small)).size < 0.4 * (await stat(join(polite.checkpoint, "model.safetensors"))).size);
  const [cat] = ANIMALS;
  const told = await liang("run", small, `Where is the ${cat}?`, "--temperature", "0");
  assert.equal(told.trim(), `${where(0)} ${THANKS}`);
  await using model = await load(small);
  for (const [animal, name] of ANIMALS.entries()) {
    let text = "";
    for await (const part of model.chat([{ role: "user", content: `Where is the ${name}?` }], { temperature: 0 })) {
      if (part.type === "text-delta") text += part.text;
    }
    assert.equal(text.trim(), `${where(animal)} ${THANKS}`);
  }
});
