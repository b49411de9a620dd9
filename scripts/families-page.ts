// Writes docs/families.md: what Liang knows of each family, asked of the registry, the converter, the gradients and the
// golden cases themselves. A test holds the page against it (test/families/page.test.ts).
//   node scripts/node.mjs scripts/families-page.ts
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UnsupportedError } from "../src/base/errors.ts";
import { formsOf } from "../src/convert/families.ts";
import { changing, gradients, sumAll } from "../src/graph/index.ts";
import { type FamilyRow, type HeadName, type Model, families, traceRows } from "../src/models/index.ts";
import { savedTensors } from "../src/train/saved-tensors.ts";
import { checkTrainable } from "../src/train/trainable.ts";
import { type GoldenName, allNames, openCase, sameReader } from "../test/families/cases.ts";

export const path = join(import.meta.dirname, "../docs/families.md");

interface Opened {
  readonly name: GoldenName;
  readonly model: Model;
}

async function openAll(): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (const name of allNames) {
    await using found = await openCase(name);
    opened.push({ name, model: found.model });
  }
  return opened;
}

/** What `ask` refuses; undefined: nothing. */
function refusal(ask: () => unknown): string | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return error.message;
    throw error;
  }
}

/** Asks for the gradient of every weight that a head of the model changes with, and for the tensors that a checkpoint has. */
function train(model: Model): void {
  checkTrainable(model);
  const { head, trained } = traceRows(model, { rows: 8, outputRows: 8, sourceRows: 8, trains: () => true });
  const loss = sumAll(head(Object.keys(model.heads)[0] as HeadName));
  gradients(loss, changing(loss, [...trained.values()]));
  savedTensors(model, () => Promise.resolve(new Float32Array()), "f32");
}

interface Line {
  readonly row: FamilyRow;
  readonly gguf: string | undefined;
  readonly converted: string;
  readonly trained: string;
  readonly cases: readonly GoldenName[];
  readonly group: string;
}

const groups = {
  decoder: "Decoders: they go on with a text",
  mixture: "Mixtures of experts: decoders of which each token goes through a part",
  encoder: "Encoders: they read texts, for embeddings and ranks",
  encoderDecoder: "Encoder-decoders: they read one text and write another",
  image: "Image models: they read pictures, for embeddings beside those of texts, and to tell what they show",
};

function groupOf({ encoder, bothDirections, parameters, imageFormat, imageTower }: Model): string {
  if ((imageFormat ?? imageTower) !== undefined) return groups.image;
  if (encoder !== undefined) return groups.encoderDecoder;
  if (bothDirections === true) return groups.encoder;
  return [...parameters.keys()].some((name) => name.includes(".experts.")) ? groups.mixture : groups.decoder;
}

const code = (text: string): string => `\`${text}\``;

function lineOf(row: FamilyRow, opened: readonly Opened[]): Line {
  const { hf } = row;
  const own = opened.filter(({ name, model }) => model.family === hf || name === sameReader[hf]);
  const [{ model }] = own;
  const noForms = refusal(() => formsOf({ family: hf }));
  const forms = noForms === undefined ? formsOf({ family: hf }) : undefined;
  const left = forms?.left;
  const refused = own.filter((one) => refusal(() => train(one.model)) !== undefined).map(({ name }) => code(name));
  return {
    row,
    gguf: row.gguf ?? forms?.gguf,
    converted: forms === undefined ? "no" : left === undefined ? "yes" : `but for ${left}`,
    trained: refused.length === 0 ? "yes" : refused.length === own.length ? "no" : `all but ${refused.join(" ")}`,
    cases: own.map(({ name }) => name),
    group: groupOf(model),
  };
}

function tableOf(lines: readonly Line[]): string[] {
  return [
    "| family | models of it | GGUF | converted | trained | verified against |",
    "|---|---|---|---|---|---|",
    ...lines.map(({ row, gguf, converted, trained, cases }) => {
      const cells = [code(row.hf), row.known, gguf === undefined ? "none" : code(gguf), converted, trained];
      return `| ${[...cells, cases.map(code).join(" ")].join(" | ")} |`;
    }),
  ];
}

/** The page. */
export async function familiesPage(): Promise<string> {
  const opened = await openAll();
  const lines = families.map((row) => lineOf(row, opened));
  const tables = Object.values(groups).flatMap((group) => [
    "",
    `## ${group}`,
    "",
    ...tableOf(lines.filter((line) => line.group === group)),
  ]);
  return `${[HEAD, ...tables, "", TAIL].join("\n")}\n`;
}

const HEAD = `<!-- Written by scripts/families-page.ts; change what it reads, not this page. -->
# Families of models

A family is what models share that run the same program with other weights. Which one a model is of stands in its file: \`model_type\` in the
\`config.json\` of a Hugging Face folder, \`general.architecture\` in a GGUF file; \`./liang show MODEL\` prints it. All of
these families are read from folders, and a model that is not named here opens where its file names one of them.

- **GGUF**: the architecture under which its GGUF files are read; none: there are no such files.
- **converted**: \`./liang convert\` writes a folder as GGUF and a GGUF file as a folder, and compares every weight and the logits of both.
- **trained**: every weight has a gradient, and a checkpoint is a folder that transformers opens ([training.md](training.md)).
- **verified against**: tiny models with the family's shape (\`test/golden/families\`), whose logits transformers computed; Liang's are equal to them, to the
  rounding of 32-bit floats, on the reference and on every instruction set of the machine that tests run on.`;

const TAIL = `## What they cannot do

- An architecture that is not listed, and an option of a config that would change the result and is not done, are refused by name.
- No sounds, and no chat about pictures: of models that see or hear and write, only the files of their text part open. Of CLIP, GGUF files do not.
- What GGUF has no word for is refused by \`convert\`, by the option's name: dynamic rope scaling, for one.
- Tokenizers are converted where they are byte-level BPE, SentencePiece BPE, BERT's WordPiece, or Unigram as T5 and XLM-RoBERTa have it; a folder
  or a file with another one is refused, its weights and config alone are not. RoBERTas come back from GGUF as what they are only with a tokenizer.
- Mixtures are trained by the stage's own loss alone: nothing keeps their experts equally busy, and DeepSeek V3's selection bias stays as it is.
- Encoders write no text, so that they embed, rank and are trained, but do not chat.`;

if (import.meta.main) await writeFile(path, await familiesPage());
