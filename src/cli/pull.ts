// `liang pull`: fetches a model from a hub into the data folder and puts it on the list, or a data set for `liang data`.
// Stopped or cut off, it goes on where it was the next time.
import process from "node:process";
import { isAbort } from "../base/errors.ts";
import { type PullOptions, openDataFolder, pullData, pullModel } from "../store/index.ts";
import { defineCommand } from "./command.ts";
import { bytes, note, out, outJson, paint } from "./terminal.ts";
import { progressBar } from "./progress-bar.ts";

export const command = defineCommand({
  summary: "Fetches a model or data from a hub; resumes, checks each file's hash.",
  usage: "ORG/NAME[:FILE]",
  words: { least: 1, most: 1 },
  options: {
    endpoint: {
      type: "string",
      short: "e",
      hint: "WHERE",
      help: "huggingface (default), hf-mirror, modelscope, or an address; also HF_ENDPOINT",
    },
    dataset: { type: "boolean", help: "a data set, which liang data prepare takes by its name" },
    json: { type: "boolean", help: "print JSON when done" },
  },
  notes: [
    "FILE is a GGUF's name or its format: Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M.",
    "Without it Q4_K_M is taken, or the folder of safetensors where there is no GGUF.",
    "Of a data set FILE is a file, a folder or a kind (parquet, json, text). Without",
    "it all files of one kind are taken: Parquet, else JSON lines, else texts.",
    "HF_TOKEN opens what is gated.",
  ],
  async run({ endpoint, dataset = false, json }, [name], signal) {
    const bar = progressBar();
    const onNotice = (text: string): void => {
      bar.end();
      note(paint("faint", text, process.stderr));
    };
    const options = { name, folder: openDataFolder(), endpoint, onProgress: bar.report, onNotice, signal };
    try {
      await (dataset ? pullNamedData : pullNamedModel)(options, bar.end, json);
    } catch (error) {
      bar.end();
      if (isAbort(error)) note(paint("faint", "stopped; the same command goes on from here", process.stderr));
      throw error;
    }
  },
});

const came = (fetchedBytes: number): string =>
  fetchedBytes === 0 ? "was already here" : `${bytes(fetchedBytes)} fetched`;

async function pullNamedModel(options: PullOptions, end: () => void, json?: boolean): Promise<void> {
  const { model, files, fetchedBytes } = await pullModel(options);
  end();
  if (json) outJson({ ...model, files: files.map(({ path }) => path), fetchedBytes });
  else {
    out(`${model.name}: ${came(fetchedBytes)}, checked, at ${model.path}`);
    out(paint("faint", `liang chat ${model.name}`));
  }
}

async function pullNamedData(options: PullOptions, end: () => void, json?: boolean): Promise<void> {
  const { name, path, files, fetchedBytes } = await pullData(options);
  end();
  if (json) outJson({ name, path, files: files.map((file) => file.path), fetchedBytes });
  else {
    out(`${name}: ${came(fetchedBytes)}, checked, at ${path}`);
    out(paint("faint", `liang data prepare ${name} -o DIR`));
  }
}
