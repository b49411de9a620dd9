// `liang tokenizer`: trains a tokenizer on text files, or shows what one does to texts.
import { UsageError } from "../base/errors.ts";
import { openTextSide } from "../chat/open-text-side.ts";
import {
  checkNoTokenizer,
  type TrainingKind,
  trainingKinds,
  trainTokenizer,
  writeTokenizer,
} from "../text/training/index.ts";
import { defineCommand, type OptionValues } from "./command.ts";
import { progressBar } from "./progress-bar.ts";
import { bytes, duration, note, out, outJson } from "./terminal.ts";
import { readTextFile } from "./text-file.ts";
import { inspectTokenizer, inspectionText } from "./tokenizer-inspection.ts";

const options = {
  kind: { type: "string", help: "train: bpe (default), unigram, wordpiece or characters" },
  vocab: { type: "number", help: "train: tokens in all (default 8192)" },
  output: { type: "string", short: "o", hint: "DIR", help: "train: the folder to write tokenizer.json to" },
  force: { type: "boolean", help: "train: replace the tokenizer that is there" },
  special: { type: "string", multiple: true, hint: "TOKEN", help: "train: a special token more; may be repeated" },
  bos: { type: "string", hint: "TOKEN", help: "train: the token that begins a text (an empty one: none)" },
  eos: { type: "string", hint: "TOKEN", help: "train: the token that ends a text or a reply" },
  pad: { type: "string", hint: "TOKEN", help: "train: the token that fills up" },
  unknown: { type: "string", hint: "TOKEN", help: "train: the token for what no other spells" },
  "add-bos": { type: "boolean", help: "train: texts get BOS before them where a model reads them" },
  "add-eos": { type: "boolean", help: "train: texts get EOS after them" },
  pre: { type: "string", hint: "NAME", help: "train bpe: how texts are cut, such as gpt-2 or qwen2 (default)" },
  coverage: { type: "number", help: "train: share of all characters to spell out (not bpe)" },
  cased: { type: "boolean", help: "train wordpiece: keep capitals and accents" },
  "min-count": { type: "number", help: "train: leave out what occurs less often (default 2)" },
  threads: { type: "number", help: "train: threads that read (default: all cores)" },
  file: { type: "string", short: "f", hint: "FILE", help: "inspect: the text to show" },
  json: { type: "boolean", help: "print one JSON document" },
} as const;

type Options = OptionValues<typeof options>;

export const command = defineCommand({
  summary: "Trains a tokenizer on text files, or shows what one does to texts.",
  usage: "train FILES... | tokenizer inspect MODEL [TEXT]",
  words: { least: 2, most: Infinity },
  options,
  notes: [
    "FILES are texts in UTF-8 of any size: what is kept of them is counts.",
    "inspect: MODEL is a model, a tokenizer.json or the folder of one. It shows bytes",
    "a token, tokens a character and a word in several languages, or how TEXT splits.",
  ],
  async run(given, [what, ...words], signal) {
    if (what === "train") await train(given, words, signal);
    else if (what === "inspect" && words.length <= 2) await inspect(given, words[0], words[1]);
    else
      throw new UsageError(`Found ${[what, ...words].join(" ")}, expected: train FILES..., or inspect MODEL [TEXT].`);
  },
});

async function train(given: Options, files: readonly string[], signal: AbortSignal): Promise<void> {
  if (given.output === undefined) throw new UsageError("--output is missing.", { field: "output" });
  if (!given.force) await checkNoTokenizer(given.output);
  const start = performance.now();
  const bar = progressBar();
  const kind = kindOf(given.kind ?? "bpe");
  const asked = given.vocab ?? 8192;
  try {
    const trained = await trainTokenizer(
      { files },
      {
        kind,
        vocabularySize: asked,
        specials: {
          changedRoles: { bos: given.bos, eos: given.eos, pad: given.pad, unknown: given.unknown },
          tokens: given.special,
          addBos: given["add-bos"],
          addEos: given["add-eos"],
        },
        countMin: given["min-count"],
        coverage: given.coverage,
        preTokenizer: given.pre,
        lowercase: given.cased === undefined ? undefined : !given.cased,
        threads: given.threads,
        onProgress: bar.report,
        signal,
      },
    );
    bar.end();
    await writeTokenizer(given.output, trained);
    const { vocabularySize, textBytes, distinctPieces } = trained;
    const seconds = (performance.now() - start) / 1000;
    if (given.json) outJson({ output: given.output, kind, vocabularySize, textBytes, distinctPieces, seconds });
    else {
      const took = duration(seconds * 1000);
      out(`${given.output}: ${kind}, ${vocabularySize} tokens from ${bytes(textBytes)} of text in ${took}`);
    }
    if (vocabularySize < asked) {
      note(
        `The texts gave ${vocabularySize} tokens, fewer than the ${asked} asked for: nothing more occurs often enough.`,
      );
    }
  } finally {
    bar.end();
  }
}

function kindOf(kind: string): TrainingKind {
  if ((trainingKinds as readonly string[]).includes(kind)) return kind as TrainingKind;
  throw new UsageError(`--kind is ${JSON.stringify(kind)}, expected ${trainingKinds.join(", ")}.`, { field: "kind" });
}

async function inspect(given: Options, model: string, text: string | undefined): Promise<void> {
  if (text !== undefined && given.file !== undefined) throw new UsageError("Found a text and --file, expected one.");
  await using words = await openTextSide(model);
  const shown = given.file === undefined ? text : await readTextFile(given.file);
  const inspection = inspectTokenizer(words.tokenizer, shown);
  if (given.json) outJson(inspection);
  else out(inspectionText(inspection));
}
