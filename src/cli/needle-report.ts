// `liang eval needle`: whether a model finds a hidden sentence, as a table of depths by windows, or JSON.
import { UsageError } from "../base/errors.ts";
import type { LoadOptions } from "../chat/types.ts";
import { type NeedleResult, findNeedles } from "../eval/needle/needle.ts";
import { needleTexts } from "../eval/needle/texts.ts";
import { openModel } from "./open.ts";
import { progressBar } from "./progress-bar.ts";
import { out, outJson, paint, tabulate } from "./terminal.ts";
import { readTextFile } from "./text-file.ts";

/** As the options give them; lists are words between commas. */
export interface NeedleOptions {
  readonly windows?: string | undefined;
  readonly depths?: string | undefined;
  readonly language?: string | undefined;
  readonly trials?: number | undefined;
  readonly file?: string | undefined;
  readonly json?: boolean | undefined;
}

const COLUMNS = 80;

export async function evalNeedle(
  path: string,
  { windows: listed = "1024,4096", depths: places = "0,25,50,75,100", trials = 1, ...options }: NeedleOptions,
  loading: LoadOptions,
  signal: AbortSignal,
): Promise<void> {
  const windows = numbersOf("windows", listed, 64, 2 ** 24);
  const depths = numbersOf("depths", places, 0, 100);
  if (!Number.isInteger(trials) || trials < 1) throw new UsageError(`--trials is ${trials}, expected 1 or more.`);
  const languages = languagesOf(options.language);
  const haystack = options.file === undefined ? undefined : await readTextFile(options.file);
  await using model = await openModel(path, { ...loading, window: Math.max(...windows), slots: 1, signal });
  const bar = progressBar();
  const settings = { windows, depths, languages, trials, haystack, onProgress: bar.report, signal };
  const results = await findNeedles(model, settings).finally(bar.end);
  if (options.json) outJson({ model: model.info.name, trials, results });
  else for (const language of languages) out(tableOf(language, results));
}

/** Windows go to the right, in as many tables as the lines need. */
function tableOf(language: string, all: readonly NeedleResult[]): string {
  const results = all.filter((result) => result.language === language);
  const [windows, depths] = [
    [...new Set(results.map(({ window }) => window))],
    [...new Set(results.map(({ depth }) => depth))],
  ];
  const most = Math.floor((COLUMNS - "100 % deep".length) / (String(Math.max(...windows)).length + 3));
  const tables: string[] = [];
  for (let first = 0; first < windows.length; first += most) {
    const some = windows.slice(first, first + most);
    const rows = depths.map((depth) => [`${depth} % deep`, ...some.map((window) => cell(results, window, depth))]);
    tables.push(tabulate([[paint("strong", language), ...some.map(String)], ...rows]));
  }
  const [found, trials] = [results.reduce((n, one) => n + one.found, 0), results.reduce((n, one) => n + one.trials, 0)];
  return [...tables, `${found} of ${trials} found`, ""].join("\n");
}

function cell(results: readonly NeedleResult[], window: number, depth: number): string {
  const { found, trials } = results.find((result) => result.window === window && result.depth === depth)!;
  if (trials > 1) return `${found}/${trials}`;
  return found === 1 ? "yes" : "no";
}

function languagesOf(given = "en,zh"): NeedleResult["language"][] {
  return given.split(",").map((word) => {
    const known = needleTexts.find(({ language }) => language === word);
    if (known !== undefined) return known.language;
    throw new UsageError(`--language is ${JSON.stringify(given)}, expected en, zh or both: en,zh.`);
  });
}

function numbersOf(name: string, list: string, least: number, most: number): number[] {
  const numbers = list.split(",").map(Number);
  if (list !== "" && numbers.every((n) => Number.isInteger(n) && n >= least && n <= most)) return numbers;
  throw new UsageError(
    `--${name} is ${JSON.stringify(list)}, expected whole numbers from ${least} to ${most}, between commas.`,
  );
}
