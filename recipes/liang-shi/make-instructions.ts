// Makes what the later stages learn and are judged by, from prepared poems:
//   node scripts/node.mjs recipes/liang-shi/make-instructions.ts --poems FOLDER --to FOLDER [--count 120000] [--requests 8000]
// sft.jsonl: conversations (kind, messages). requests.jsonl: requests for the preference stage (prompt, request), with other
// numbers than sft.jsonl. held-out.jsonl: 500 requests from poems and in wordings that nothing learns from. texts.txt: all
// that is learnt, a poem or a message a line, for the tokenizer.
import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { parseArgs } from "node:util";
import { UsageError } from "../../src/base/errors.ts";
import { createLineWriter } from "../../src/train/data/line-file.ts";
import { type FormWeights, type Instruction, type InstructionMaker, createInstructions } from "./instructions.ts";
import type { Poem } from "./prepare.ts";

const HELD_OUT = 500;
/** The preference stage is asked more for what goes wrong more: long poems repeat a rhyme. */
const REQUESTED: FormWeights = { 五绝: 10, 七绝: 10, 五律: 24, 七律: 16, 词: 40 };

async function readPoems(path: string): Promise<Poem[]> {
  const poems: Poem[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) poems.push(JSON.parse(line) as Poem);
  return poems;
}

function* conversationsOf(maker: InstructionMaker, count: number): Generator<Pick<Instruction, "kind" | "messages">> {
  for (let index = 0; index < count; index++) {
    const { kind, messages } = maker.at(index);
    yield { kind, messages };
  }
}

/** `count` instructions from number `first` on that ask for a whole poem, as prompts. */
function* requestsOf(maker: InstructionMaker, first: number, count: number): Generator {
  for (let index = first, found = 0; found < count; index++) {
    const { kind, messages, request }: Instruction = maker.at(index);
    if (request === undefined) continue;
    found++;
    yield { kind, prompt: messages[0].content, request };
  }
}

const { values } = parseArgs({
  options: {
    poems: { type: "string" },
    to: { type: "string" },
    count: { type: "string", default: "120000" },
    requests: { type: "string", default: "8000" },
    seed: { type: "string", default: "0" },
  },
});
if (values.poems === undefined || values.to === undefined) {
  throw new UsageError("Give --poems, the folder that prepare.ts wrote, and --to, a folder.", { field: "poems" });
}
const [count, requests, seed] = [values.count, values.requests, values.seed].map(Number);
const poems = await readPoems(join(values.poems, "train.jsonl"));
const train = createInstructions(poems, { seed });
const heldOut = createInstructions(await readPoems(join(values.poems, "validation.jsonl")), { seed, heldOut: true });

const files: Readonly<Record<string, Iterable<unknown>>> = {
  "sft.jsonl": conversationsOf(train, count),
  "requests.jsonl": requestsOf(createInstructions(poems, { seed, forms: REQUESTED }), count, requests),
  "held-out.jsonl": requestsOf(heldOut, 0, HELD_OUT),
};
mkdirSync(values.to, { recursive: true });
for (const [name, rows] of Object.entries(files)) {
  await using writer = await createLineWriter(values.to, name);
  for (const row of rows) await writer.write(row);
  const { bytes, sha256 } = await writer.finish();
  console.log(`${name} ${bytes} bytes ${sha256}`);
}
const texts = createWriteStream(join(values.to, "texts.txt"));
for (const { text } of poems) texts.write(`${text}\n`);
for (const { messages } of conversationsOf(train, count))
  for (const { content } of messages) texts.write(`${content}\n`);
texts.end();
await finished(texts);
