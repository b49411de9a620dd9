// `liang quantize --ladder`: one model at each width, a row of a table as soon as it is measured, and a plot.
import { describeModel } from "../chat/describe.ts";
import type { FormatName } from "../numeric/registry.ts";
import { type Importance, type Rung, ladderPlot, ladderTypes, measureLadder, typesUpTo } from "../quantize/index.ts";
import { comparedText, stemOf } from "./quantize-names.ts";
import type { ProgressBar } from "./progress-bar.ts";
import { bytes, figure, note, out, outJson, pad } from "./terminal.ts";
import { writeTextFile } from "./text-file.ts";

interface LadderOptions {
  readonly text?: string;
  readonly "text-tokens"?: number;
  readonly threads?: number;
  readonly plot?: string;
  readonly json?: boolean;
}

const COLUMNS: readonly (readonly [title: string, width: number, value: (rung: Rung) => string])[] = [
  ["type", 8, ({ type }) => type],
  ["size", 9, (rung) => bytes(rung.bytes)],
  ["bits", 7, (rung) => rung.bits_per_weight.toFixed(2)],
  ["error", 9, ({ error }) => `${Number((100 * error).toPrecision(2))} %`],
  ["perplexity", 12, ({ perplexity }) => perplexity.toPrecision(5)],
  ["divergence", 12, (rung) => rung.kl_divergence.toPrecision(2)],
  ["same", 9, (rung) => `${(100 * rung.same_top).toFixed(1)} %`],
  ["tok/s", 8, (rung) => figure(rung.tokens_per_second)],
];

export async function showLadder(
  from: string,
  options: LadderOptions,
  importance: Importance | undefined,
  bar: ProgressBar,
  signal: AbortSignal,
): Promise<void> {
  const types = typesUpTo(await mainFormat(from));
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => pad(cell, COLUMNS[i][1]))
      .join("")
      .trimEnd();
  if (!options.json) out(row(COLUMNS.map(([title]) => title)));
  const ladder = await measureLadder(from, {
    types,
    text: await comparedText(options.text),
    signal,
    onProgress: bar.report,
    onRung(rung) {
      bar.end();
      if (!options.json) out(row(COLUMNS.map(([, , value]) => value(rung))));
    },
    ...(importance !== undefined && { importance }),
    ...(options["text-tokens"] !== undefined && { textTokens: options["text-tokens"] }),
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  const plot = options.plot ?? `${stemOf(from)}-ladder.svg`;
  await writeTextFile(plot, ladderPlot(ladder, stemOf(from)));
  if (options.json) return void outJson({ ...ladder, plot });
  out(
    `The original's perplexity is ${ladder.perplexity_original.toPrecision(5)}, over ${ladder.tokens} tokens. Plot: ${plot}`,
  );
  const left = ladderTypes.filter((type) => !types.includes(type));
  if (left.length > 0) note(`Left out, wider than the model is stored: ${left.join(", ")}.`);
  for (const line of ladder.notes) note(line);
}

/** The format that most of the model's bytes are stored in. */
async function mainFormat(path: string): Promise<FormatName> {
  const { tensors } = await describeModel(path);
  const sizes = new Map<string, number>();
  for (const { type, bytes: size = 0 } of tensors) sizes.set(type, (sizes.get(type) ?? 0) + size);
  const [main] = [...sizes].reduce((a, b) => (b[1] > a[1] ? b : a));
  return main as FormatName;
}
