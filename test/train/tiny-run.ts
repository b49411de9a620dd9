// A small run in a folder of its own: stories260K's tokenizer, made-up sentences as data, a model of a few thousand
// weights.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { uniform } from "../../src/base/random.ts";
import { convert } from "../../src/convert/index.ts";
import { prepareData } from "../../src/train/data/prepare.ts";
import { type Recipe, parseRecipe } from "../../src/train/recipe.ts";

const ROOT = join(import.meta.dirname, "../..");
/** A question on a line of its own, and an answer that ends the text. */
const TEMPLATE = `{%- for message in messages -%}
{{- bos_token + message.content + '\\n' if message.role == 'user' else message.content + eos_token -}}
{%- endfor -%}`;
const WORDS = {
  who: ["The cat", "A dog", "My friend", "The old man", "A little bird", "Her mother"],
  does: ["sees", "likes", "finds", "wants", "paints", "hides"],
  what: ["a ball", "the red box", "some bread", "a big tree", "the moon", "his hat"],
  where: ["in the park", "at home", "by the sea", "under a table"],
};

/** Sentences that are all alike, and never twice the same in a row. */
export function sentence(i: number): string {
  const parts = Object.values(WORDS).map((list, part) => list[Math.floor(uniform(1, part, i) * list.length)]);
  return `${parts.join(" ")}.`;
}

/** Prepares `<folder>/tokenizer`. */
export async function prepareTokenizer(folder: string): Promise<void> {
  await convert(join(ROOT, "models/stories260K.gguf"), join(folder, "tokenizer"));
  await writeFile(join(folder, "tokenizer/chat_template.jinja"), TEMPLATE);
}

/** Prepares `<folder>/tokenizer` and `<folder>/data`: texts of three sentences each. */
export async function prepareTinyData(folder: string, texts = 60): Promise<void> {
  await prepareTokenizer(folder);
  await mkdir(join(folder, "raw"));
  const rows = Array.from({ length: texts }, (_, i) =>
    JSON.stringify({ text: [0, 1, 2].map((n) => sentence(3 * i + n)).join(" ") }),
  );
  await writeFile(join(folder, "raw/texts.jsonl"), rows.join("\n"));
  await prepareData([join(folder, "raw")], join(folder, "data"), { duplicates: "keep", validationShare: 0.1 });
}

/** `fields` instead of the recipe's own; undefined: left out. */
export function tinyRecipe(
  folder: string,
  settings: readonly string[] = [],
  fields: Readonly<Record<string, unknown>> = {},
): Recipe {
  const recipe = {
    stage: "pretrain",
    model: {
      model_type: "llama",
      hidden_size: 32,
      intermediate_size: 64,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      max_position_embeddings: 64,
      tie_word_embeddings: true,
    },
    tokenizer: join(folder, "tokenizer"),
    data: join(folder, "data"),
    steps: 24,
    batch: { window: 48, rows: 96, tokens: 192 },
    optimizer: { matrices: { name: "muon", rate: 0.02 }, others: { name: "adamw", rate: 0.01 } },
    validate: { every: 8 },
    checkpoint: { every: 2, keep: 2 },
    ...fields,
  };
  return parseRecipe("tiny.json", JSON.stringify(recipe), settings);
}
