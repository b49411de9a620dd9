// `liang pull`: fetches a model from a hub into the data folder and puts it on the list. Stopped or cut off, it goes on
// where it was the next time.
import process from "node:process";
import { isAbort } from "../base/errors.ts";
import { openDataFolder, pullModel } from "../store/index.ts";
import { defineCommand } from "./command.ts";
import { bytes, note, out, outJson, paint } from "./terminal.ts";
import { progressBar } from "./progress-bar.ts";

export const command = defineCommand({
  summary: "Fetches a model from a hub; resumes, and checks every file's SHA-256.",
  usage: "ORG/NAME[:FILE]",
  words: { least: 1, most: 1 },
  options: {
    endpoint: {
      type: "string",
      short: "e",
      hint: "WHERE",
      help: "huggingface (default), hf-mirror, modelscope, or an address; also HF_ENDPOINT",
    },
    json: { type: "boolean", help: "print JSON when done" },
  },
  notes: [
    "FILE is a GGUF's name or its format: Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M.",
    "Without it Q4_K_M is taken, or the folder of safetensors where there is no GGUF.",
    "HF_TOKEN opens gated models.",
  ],
  async run({ endpoint, json }, [name], signal) {
    const bar = progressBar();
    const pulled = await pullModel({
      name,
      folder: openDataFolder(),
      endpoint,
      onProgress: bar.report,
      onNotice(text) {
        bar.end();
        note(paint("faint", text, process.stderr));
      },
      signal,
    })
      .catch((error: unknown) => {
        bar.end();
        if (isAbort(error)) note(paint("faint", "stopped; the same command goes on from here", process.stderr));
        throw error;
      })
      .finally(bar.end);
    const { model, files, fetchedBytes } = pulled;
    if (json) outJson({ ...model, files: files.map(({ path }) => path), fetchedBytes });
    else {
      const came = fetchedBytes === 0 ? "was already here" : `${bytes(fetchedBytes)} fetched`;
      out(`${model.name}: ${came}, checked, at ${model.path}`);
      out(paint("faint", `liang chat ${model.name}`));
    }
  },
});
