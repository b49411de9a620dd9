// `liang serve`: the page and the API on a port, until Ctrl-C.
import { defineCommand } from "./command.ts";
import { adapterOption, loadOptions, loadingOptions } from "./sampling.ts";
import { runServer } from "./server.ts";

/** Where Liang listens when no port is given. */
export const PORT = 8420;

export const command = defineCommand({
  summary: "Serves the chat page and an OpenAI-compatible API.",
  usage: "",
  words: { least: 0, most: 0 },
  options: {
    port: { type: "number", short: "p", help: `default ${PORT}; 0: any that is free` },
    host: { type: "string", hint: "ADDRESS", help: "default 127.0.0.1; elsewhere an API key is required" },
    "api-key": { type: "string", hint: "KEY", help: "the key (default: a new one, shown in the address)" },
    origin: {
      type: "string",
      multiple: true,
      hint: "ADDRESS",
      help: "another site whose pages may call the API, such as http://localhost:5173 (repeatable)",
    },
    model: { type: "string", short: "m", hint: "MODEL", help: "what answers when a request names no model" },
    adapter: {
      ...adapterOption,
      multiple: true,
      help: "a LoRA adapter of --model, served as MODEL@ADAPTER beside it (repeatable)",
    },
    open: { type: "boolean", help: "open the page in the browser (--no-open: not, the default)" },
    ...loadingOptions,
  },
  async run(options, _, signal) {
    const { port = PORT, host, model, adapter: adapters, origin: origins, open = false, "api-key": apiKey } = options;
    const loading = loadOptions(options);
    await runServer({ port, host, model, adapters, origins, open, apiKey, loading }, signal);
  },
});
