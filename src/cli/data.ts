// `liang data`: prepares training data, turns it into tokens, shows what is in it, and finds what a text has from it.
import { type DataFormat, dataFormats } from "../base/data-files.ts";
import { UsageError } from "../base/errors.ts";
import { openTextSide } from "../chat/open-text-side.ts";
import { cardText } from "../train/data/data-card.ts";
import { prepareData, readCard } from "../train/data/prepare.ts";
import { type ReadingName, readingNames } from "../train/data/readings.ts";
import { readTokenCard, tokenizeData } from "../train/data/tokenize.ts";
import { type OptionValues, defineCommand } from "./command.ts";
import { findCopied } from "./data-copied.ts";
import { preparedTable, tokenTable } from "./data-report.ts";
import { dataFolder } from "#platform";
import { dataSetPaths } from "../store/index.ts";
import { progressBar } from "./progress-bar.ts";
import { out, outJson, tabulate } from "./terminal.ts";

const options = {
  output: { type: "string", short: "o", hint: "DIR", help: "where the prepared data goes (prepare)" },
  force: { type: "boolean", help: "replace prepared data that is there" },
  format: { type: "string", hint: "KIND", help: "what the files are: text, json or parquet (default: by their names)" },
  documents: {
    type: "string",
    hint: "BOUNDS",
    help: "a document of plain text is a file (default), line or paragraph, or lies between lines of this text",
  },
  text: { type: "string", hint: "FORM", help: 'rows become texts of their fields, such as "{title}: {text}"' },
  keep: { type: "string", multiple: true, hint: "RULE", help: "leave out what breaks it, such as letters>=0.5" },
  duplicates: { type: "string", hint: "HOW", help: "remove (default) or keep them, on one side of the split" },
  alike: { type: "number", help: "from which likeness on two documents are near-duplicates (default 0.7)" },
  validation: { type: "number", help: "share of the documents held out (default 0.02)" },
  seed: { type: "number", help: "of the split (default 0)" },
  licence: { type: "string", multiple: true, hint: "FILE=TEXT", help: "of a source, or TEXT for all (in the card)" },
  model: { type: "string", short: "m", hint: "MODEL", help: "whose tokenizer and template (tokenize)" },
  template: { type: "string", hint: "NAME", help: "another chat template: a built-in's name or Jinja text (tokenize)" },
  reading: { type: "string", hint: "KIND", help: "read records as documents (default), pairs, triples (tokenize)" },
  json: { type: "boolean", help: "print JSON" },
} as const;

type Options = OptionValues<typeof options>;

export const command = defineCommand({
  summary: "Prepares data for training and shows what is in it.",
  usage: "prepare FILES… | tokenize|show DIR | copied DIR FILE",
  words: { least: 2, most: 1000 },
  options,
  notes: [
    "prepare: texts, JSON(L), Parquet, .gz, folders: clean, no duplicates, split.",
    "FILES may be ORG/NAME[:PART], a data set that `liang pull --dataset` fetched.",
    "tokenize: writes the documents of DIR as tokens, as training reads them.",
    "copied: the longest span of FILE that the training documents have, and where.",
    "Measures for --keep: characters, letters, damaged, repeatedLines, repetition.",
  ],
  async run(given, [action, ...words], signal) {
    const actions = { prepare, tokenize, show, copied };
    if (!Object.hasOwn(actions, action)) {
      throw new UsageError(`There is no liang data ${action}.`, {
        hint: `There are ${Object.keys(actions).join(", ")}.`,
      });
    }
    const most = { prepare: Infinity, tokenize: 1, show: 1, copied: 2 }[action as keyof typeof actions];
    if (words.length > most || (action === "copied" && words.length < 2)) {
      throw new UsageError(`Found ${words.length} words behind ${action}.`, { hint: "See --help." });
    }
    const bar = progressBar();
    try {
      await actions[action as keyof typeof actions](given, words, { signal, onProgress: bar.report, end: bar.end });
    } finally {
      bar.end();
    }
  },
});

interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: ReturnType<typeof progressBar>["report"];
  readonly end: () => void;
}

async function prepare(given: Options, files: readonly string[], { signal, onProgress, end }: Watch): Promise<void> {
  if (given.output === undefined) throw new UsageError("--output is missing.", { field: "output" });
  const licences = (given.licence ?? []).map((entry): [string, string] => {
    const at = entry.indexOf("=");
    return at < 0 ? ["", entry] : [entry.slice(0, at), entry.slice(at + 1)];
  });
  const folder = dataFolder();
  const paths = (await Promise.all(files.map((file) => dataSetPaths(folder, file)))).flat();
  const card = await prepareData(paths, given.output, {
    ...given,
    format: oneOf("format", given.format, dataFormats) as DataFormat | undefined,
    duplicates: oneOf("duplicates", given.duplicates, ["remove", "keep"]) as "remove" | "keep" | undefined,
    validationShare: given.validation,
    licenceOf: (path) =>
      (licences.find(([start]) => start !== "" && path.startsWith(start)) ??
        licences.find(([start]) => start === ""))?.[1],
    signal,
    onProgress,
  });
  end();
  if (given.json) outJson(card);
  else out(preparedTable(given.output, card));
}

function oneOf(name: string, value: string | undefined, known: readonly string[]): string | undefined {
  if (value === undefined || known.includes(value)) return value;
  throw new UsageError(`--${name} is ${JSON.stringify(value)}, expected ${known.join(", ")}.`, { field: name });
}

async function tokenize(
  given: Options,
  [folder]: readonly string[],
  { signal, onProgress, end }: Watch,
): Promise<void> {
  if (given.model === undefined) throw new UsageError("--model is missing.", { field: "model" });
  await using words = await openTextSide(given.model, given.template);
  const card = await tokenizeData(folder, words, {
    reading: (oneOf("reading", given.reading, readingNames) ?? "documents") as ReadingName,
    signal,
    onProgress,
  });
  end();
  if (given.json) outJson(card);
  else out(tokenTable(card));
}

async function show({ json }: Options, [folder]: readonly string[]): Promise<void> {
  const card = await readCard(folder);
  const tokens = await readTokenCard(folder);
  if (json) outJson({ ...card, ...(tokens && { tokens }) });
  else out([cardText(card).trimEnd(), ...(tokens === undefined ? [] : ["", tokenTable(tokens)])].join("\n"));
}

async function copied({ json }: Options, [folder, file]: readonly string[], { signal, end }: Watch): Promise<void> {
  const found = await findCopied(folder, file, signal);
  end();
  if (json) outJson(found);
  else out(tabulate(Object.entries(found).map(([name, value]) => [name, String(value)])));
}
