// `liang classify`: what pictures show, the most likely first.
import { UsageError } from "../base/errors.ts";
import { defineCommand } from "./command.ts";
import { openModel } from "./open.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { out, outJson } from "./terminal.ts";
import { readFileBytes } from "./text-file.ts";

export const command = defineCommand({
  summary: "Tells what pictures show.",
  usage: "MODEL IMAGE...",
  words: { least: 2, most: 1025 },
  options: {
    labels: { type: "string", hint: "A,B,...", help: "what they may show, for a model that reads texts too (clip)" },
    prompt: {
      type: "string",
      hint: "TEXT",
      help: 'what labels are put into, at {} (default "This is a photo of {}.")',
    },
    top: { type: "number", help: "print the best N only (default 5)" },
    json: { type: "boolean", help: "print one JSON document: [{image, results: [{label, score, probability}]}]" },
    ...loadingOptions,
  },
  notes: ["Without --labels the model's own classes are told apart (vit).", "Images are PNG, JPEG or WebP files."],
  async run({ labels, prompt, top = 5, json, ...options }, [model, ...files], signal) {
    if (!Number.isInteger(top) || top < 1) {
      throw new UsageError(`top is ${top}, expected a whole number above 0.`, { field: "top" });
    }
    const pictures: Uint8Array[] = [];
    for (const file of files) pictures.push(await readFileBytes(file));
    await using loaded = await openModel(model, { ...loadOptions(options), signal });
    const chosen = labels
      ?.split(",")
      .map((label) => label.trim())
      .filter((label) => label !== "");
    const found = await loaded.classify(pictures, {
      top,
      signal,
      ...(chosen !== undefined && { labels: chosen }),
      ...(prompt !== undefined && { prompt }),
    });
    if (json) {
      outJson(found.map(({ results }, i) => ({ image: files[i], results })));
      return;
    }
    for (const [i, { results }] of found.entries()) {
      if (files.length > 1) out(`${i > 0 ? "\n" : ""}${files[i]}`);
      for (const { label, probability } of results) out(`${probability.toFixed(4)}  ${label}`);
    }
  },
});
