// `liang embed`: texts and pictures in, vectors out, a JSON array a line.
import process from "node:process";
import { text as readAll } from "node:stream/consumers";
import { UsageError } from "../base/errors.ts";
import { shortestDecimals } from "../base/shortest-decimal.ts";
import type { EmbedInput } from "../chat/types.ts";
import { defineCommand } from "./command.ts";
import { openModel } from "./open.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { note, out, outJson } from "./terminal.ts";
import { readFileBytes, readTextFile } from "./text-file.ts";

/** Texts that go to the model at once: results come as they are made. */
const TOGETHER = 256;

export const command = defineCommand({
  summary: "Gives the vectors of texts and pictures.",
  usage: "MODEL [TEXT...]",
  words: { least: 1, most: 1025 },
  options: {
    file: { type: "string", short: "f", help: "a text a line, from a file (-: standard input)" },
    image: {
      type: "string",
      multiple: true,
      hint: "FILE",
      help: "a picture (PNG, JPEG, WebP), for models that read any",
    },
    prompt: { type: "string", hint: "NAME", help: "put this prompt of the model's files before texts (query, ...)" },
    dimensions: { type: "number", help: "keep the first N numbers, for models trained for it" },
    truncate: { type: "boolean", help: "cut texts that are too long instead of refusing them" },
    similarity: { type: "boolean", help: "print the similarity of every pair instead: 1 is the same" },
    json: { type: "boolean", help: "print one JSON document: {vectors, tokens}" },
    ...loadingOptions,
  },
  notes: [
    "Vectors have length 1, so the similarity of two is their inner product.",
    "Those of pictures come last; in one space with texts where a model reads both.",
  ],
  async run(
    { file, image = [], prompt, dimensions, truncate, similarity, json, ...options },
    [model, ...words],
    signal,
  ) {
    const texts = [...words, ...(await readLines(file))];
    const names = [...texts, ...image];
    if (names.length === 0) {
      throw new UsageError("There are no texts and no pictures.", {
        hint: "Give texts as words or by --file, pictures by --image.",
      });
    }
    await using loaded = await openModel(model, { ...loadOptions(options), signal });
    const vectors: Float32Array[] = [];
    let tokens = 0;
    for (let first = 0; first < names.length; first += TOGETHER) {
      const part: EmbedInput[] = texts.slice(first, first + TOGETHER);
      const pictures = names.slice(Math.max(first, texts.length), first + TOGETHER);
      for (const path of pictures) part.push({ image: await readFileBytes(path) });
      const found = await loaded.embed(part, { prompt, dimensions, truncate, signal });
      tokens += found.tokens;
      if (json || similarity) vectors.push(...found.vectors);
      else for (const vector of found.vectors) out(JSON.stringify(shortestDecimals(vector)));
    }
    if (json) outJson({ vectors: vectors.map(shortestDecimals), tokens });
    else if (similarity) for (const line of similarityLines(names, vectors)) out(line);
    else note(`${texts.length} texts${image.length > 0 ? `, ${image.length} pictures` : ""}, ${tokens} tokens`);
  },
});

/** A text a line; empty lines are none. */
export async function readLines(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const content = file === "-" ? await readAll(process.stdin) : await readTextFile(file);
  return content.split(/\r?\n/).filter((line) => line.trim() !== "");
}

function* similarityLines(texts: readonly string[], vectors: readonly Float32Array[]): Generator<string> {
  for (const [i, a] of vectors.entries()) {
    for (const [j, b] of vectors.entries()) {
      if (j <= i) continue;
      const product = a.reduce((sum, value, k) => sum + value * b[k], 0);
      yield `${product.toFixed(4)}  ${texts[i]}  |  ${texts[j]}`;
    }
  }
}
