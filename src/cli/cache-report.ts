// `liang eval kv`: what each type of keys and values saves and costs, a row of a table as soon as it is measured, or JSON.
import { UsageError } from "../base/errors.ts";
import { cacheTypes } from "../chat/cache-types.ts";
import { describeModel, resolveModel } from "../chat/describe.ts";
import type { LoadOptions } from "../chat/types.ts";
import { type CacheRung, measureCacheTypes } from "../eval/cache-types.ts";
import { divergenceWindow } from "../eval/divergence.ts";
import { openModel } from "./open.ts";
import { progressBar } from "./progress-bar.ts";
import { comparedText } from "./quantize-names.ts";
import { bytes, figure, out, outJson, pad } from "./terminal.ts";

/** As the options give them. */
export interface CacheReportOptions {
  readonly types?: string | undefined;
  readonly context?: number | undefined;
  readonly "text-tokens"?: number | undefined;
  readonly file?: string | undefined;
  readonly json?: boolean | undefined;
}

const CONTEXT = 1024;
/** With less before them tokens say little of what a cache does. */
const CONTEXT_LEAST = 8;

const COLUMNS: readonly (readonly [title: string, width: number, value: (rung: CacheRung) => string])[] = [
  ["type", 7, ({ type }) => type],
  ["a token", 10, (rung) => bytes(rung.bytes_per_token)],
  ["perplexity", 12, ({ perplexity }) => perplexity.toPrecision(5)],
  ["divergence", 12, (rung) => rung.kl_divergence.toPrecision(2)],
  ["1 in 100", 10, (rung) => rung.kl_divergence_99.toPrecision(2)],
  ["same", 9, (rung) => `${(100 * rung.same_top).toFixed(1)} %`],
  ["tok/s", 8, (rung) => figure(rung.tokens_per_second)],
];

export async function evalCacheTypes(
  path: string,
  { types = "q8_0,q4_0", context = CONTEXT, json, ...options }: CacheReportOptions,
  loading: LoadOptions,
  signal: AbortSignal,
): Promise<void> {
  if (!Number.isInteger(context) || context < CONTEXT_LEAST) {
    throw new UsageError(`--context is ${context}, expected ${CONTEXT_LEAST} or more.`);
  }
  const others = cacheTypes.filter((type) => type !== "f16");
  const asked = types.split(",").map((name) => {
    const known = others.find((type) => type === name);
    if (known !== undefined) return known;
    throw new UsageError(`--types is ${JSON.stringify(types)}, expected some of ${others.join(",")}.`);
  });
  const text = await comparedText(options.file);
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => pad(cell, COLUMNS[i][1]))
      .join("")
      .trimEnd();
  if (!json) out(row(COLUMNS.map(([title]) => title)));
  const { vocabularySize, trainedWindow } = await describeModel(await resolveModel(path), loading);
  const bar = progressBar();
  const ladder = await measureCacheTypes({
    open: (how) => openModel(path, { ...loading, ...how, slots: 1, signal }),
    text,
    types: asked,
    context,
    window: divergenceWindow(vocabularySize, trainedWindow),
    tokensMax: options["text-tokens"],
    signal,
    onProgress: bar.report,
    onRung(rung) {
      bar.end();
      if (!json) out(row(COLUMNS.map(([, , value]) => value(rung))));
    },
  }).finally(bar.end);
  if (json) return void outJson(ladder);
  const { tokens, window } = ladder;
  out(`Over ${tokens} tokens in windows of ${window}, beside f16; written after ${context} tokens.`);
}
