// `liang rerank`: documents by how well they answer a query, the best first.
import { UsageError } from "../base/errors.ts";
import { defineCommand } from "./command.ts";
import { readLines } from "./embed.ts";
import { openModel } from "./open.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { out, outJson } from "./terminal.ts";

export const command = defineCommand({
  summary: "Puts documents in order by how well they answer a query.",
  usage: "MODEL QUERY [DOCUMENT...]",
  words: { least: 2, most: 1026 },
  options: {
    file: { type: "string", short: "f", help: "a document a line, from a file (-: standard input)" },
    top: { type: "number", help: "print the best N only" },
    json: { type: "boolean", help: "print one JSON document: {results: [{index, score, relevance}], tokens}" },
    ...loadingOptions,
  },
  notes: ["MODEL is a reranker: an encoder with a head for scores (a cross-encoder)."],
  async run({ file, top, json, ...options }, [model, query, ...words], signal) {
    const documents = [...words, ...(await readLines(file))];
    if (documents.length === 0) {
      throw new UsageError("There are no documents.", { hint: "Give them as words or by --file." });
    }
    await using loaded = await openModel(model, { ...loadOptions(options), signal });
    const ranking = await loaded.rerank(query, documents, { top, signal });
    if (json) outJson(ranking);
    else for (const { index, relevance } of ranking.results) out(`${relevance.toFixed(4)}  ${documents[index]}`);
  },
});
