// Asks the poet for poems that nothing taught it, one reply each, none of them drawn again, and counts what they are:
//   node scripts/node.mjs recipes/liang-shi/evaluate.ts --model MODEL --requests STAGES/held-out.jsonl --poems POEMS
//     [--count 100] [--temperature 0.7] [--seed 0] [--json FILE]
// Requests are spread evenly over the forms, ci of all tunes being one. --json keeps all of it, with every reply.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { UsageError } from "../../src/base/errors.ts";
import { tabulate } from "../../src/cli/terminal.ts";
import { type LanguageModel, load } from "../../src/index.ts";
import { isRegularForm, regularForms } from "../../src/train/rewards/forms.ts";
import { linesOf } from "../../src/train/rewards/lines.ts";
import type { PoemRequest } from "../../src/train/rewards/poem.ts";
import { type JudgedPoem, judgePoem, readCorpus } from "./rewards.ts";

interface Request {
  readonly kind: string;
  readonly prompt: string;
  readonly request: PoemRequest;
}

export interface Sample extends Request {
  readonly reply: string;
  readonly ended: boolean;
  readonly judged: JudgedPoem;
}

const CI = "词";
const classOf = ({ request: { form } }: Request): string => (isRegularForm(form) ? form : CI);
const CLASSES = [...Object.keys(regularForms), CI];
/** Longer than any poem that is asked for. */
const TOKENS_MOST = 256;
const SHOWN = 3;

/** `count` requests in the order of the file, as many of each form as of the others. Throws UsageError for too few. */
export function spread(requests: readonly Request[], count: number): Request[] {
  const byClass = Map.groupBy(requests, classOf);
  return Array.from({ length: count }, (_, i) => {
    const name = CLASSES[i % CLASSES.length];
    const request = byClass.get(name)?.[Math.floor(i / CLASSES.length)];
    if (request !== undefined) return request;
    throw new UsageError(
      `There are ${byClass.get(name)?.length ?? 0} requests for ${name}, too few for ${count} in all.`,
    );
  });
}

async function replyTo(
  model: LanguageModel,
  prompt: string,
  sampling: { readonly temperature: number; readonly seed: number },
): Promise<{ reply: string; ended: boolean }> {
  // the whole distribution: nothing is cut off, nothing is punished
  const neutral = { topK: 0, topP: 1, minP: 0, typicalP: 1, repetitionPenalty: 1 };
  const options = { ...neutral, ...sampling, maxTokens: TOKENS_MOST };
  let [reply, ended] = ["", false];
  for await (const part of model.chat([{ role: "user", content: prompt }], options)) {
    if (part.type === "text-delta") reply += part.text;
    if (part.type === "end") ended = part.finishReason === "stop";
  }
  return { reply, ended };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const share = (samples: readonly Sample[], is: (sample: Sample) => boolean): number =>
  mean(samples.map((sample) => Number(is(sample))));

/** Shares of samples, and mean scores of those parts that are no yes or no. */
export function summaryOf(samples: readonly Sample[]) {
  return {
    samples: samples.length,
    exact: share(samples, ({ judged }) => judged.exact),
    form: share(samples, ({ judged }) => judged.parts.form === 1),
    rhyme: share(samples, ({ judged }) => judged.parts.rhyme === 1),
    tones: mean(samples.map(({ judged }) => judged.parts.tones)),
    asked: share(samples, ({ judged }) => judged.parts.asked === 1),
    copiesPair: share(samples, ({ judged }) => judged.copiesPair),
    reward: mean(samples.map(({ judged }) => judged.total)),
  };
}

/** Share of the lines that another sample has too: a poet that says one thing to everybody. */
export function sharedLines(samples: readonly Sample[]): number {
  const lines = samples.map(({ reply }) => new Set(linesOf(reply).lines.map((line) => line.join(""))));
  const counts = new Map<string, number>();
  for (const line of lines.flatMap((its) => [...its])) counts.set(line, (counts.get(line) ?? 0) + 1);
  return mean(lines.flatMap((its) => [...its]).map((line) => Number(counts.get(line)! > 1)));
}

const percent = (value: number): string => `${(100 * value).toFixed(0)} %`;

function tableOf(byForm: Readonly<Record<string, ReturnType<typeof summaryOf>>>): string {
  return tabulate([
    ["form", "samples", "exact", "lines", "rhyme", "tones", "asked", "copies a pair", "reward"],
    ...Object.entries(byForm).map(([name, { samples, exact, form, rhyme, tones, asked, copiesPair, reward }]) => [
      name,
      String(samples),
      ...[exact, form, rhyme].map(percent),
      tones.toFixed(2),
      ...[asked, copiesPair].map(percent),
      reward.toFixed(3),
    ]),
  ]);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      requests: { type: "string" },
      poems: { type: "string" },
      count: { type: "string", default: "100" },
      temperature: { type: "string", default: "0.7" },
      seed: { type: "string", default: "0" },
      json: { type: "string" },
    },
  });
  const { model: path, requests: file, poems } = values;
  if (path === undefined || file === undefined || poems === undefined) {
    throw new UsageError("Give --model, --requests, a file that make-instructions.ts wrote, and --poems.");
  }
  const [count, temperature, seed] = [values.count, values.temperature, values.seed].map(Number);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const asked = spread(
    lines.map((line) => JSON.parse(line) as Request),
    count,
  );
  const corpus = await readCorpus(poems);
  const slots = 8;
  const samples: Sample[] = [];
  {
    await using model = await load(path, { slots });
    for (let first = 0; first < count; first += slots) {
      const some = asked.slice(first, first + slots).map(async (request, i): Promise<Sample> => {
        const { reply, ended } = await replyTo(model, request.prompt, { temperature, seed: seed + first + i });
        return { ...request, reply, ended, judged: judgePoem(reply, ended, request.request, corpus) };
      });
      samples.push(...(await Promise.all(some)));
    }
  }
  const byForm = Object.fromEntries([
    ...CLASSES.map((name) => [name, summaryOf(samples.filter((sample) => classOf(sample) === name))] as const),
    ["all", summaryOf(samples)] as const,
  ]);
  const report = { model: path, temperature, seed, sharedLines: sharedLines(samples), byForm, samples };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(tableOf(byForm));
  console.log(`lines that another sample has too: ${percent(report.sharedLines)}`);
  const sorted = samples.toSorted((a, b) => b.judged.total - a.judged.total);
  for (const [title, shown] of Object.entries({ best: sorted.slice(0, SHOWN), worst: sorted.slice(-SHOWN) })) {
    for (const { prompt, reply, judged } of shown) {
      const faults = judged.faults.length === 0 ? "" : `\n  ${judged.faults.join("; ")}`;
      console.log(`\n${title} (${judged.total.toFixed(2)}): ${prompt}\n${reply}${faults}`);
    }
  }
}
