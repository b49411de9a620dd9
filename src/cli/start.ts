// `liang start`: the page in the browser. On the usual port, or on any other when that one is taken.
import { LiangError } from "../base/errors.ts";
import { defineCommand } from "./command.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { PORT } from "./serve.ts";
import { runServer } from "./server.ts";
import { note } from "./terminal.ts";

export const command = defineCommand({
  summary: "Opens the chat page in your browser.",
  usage: "[MODEL]",
  words: { least: 0, most: 1 },
  options: {
    port: { type: "number", short: "p", help: `default ${PORT}, or any other when it is taken` },
    open: { type: "boolean", help: "open the browser (default; --no-open: only print the address)" },
    ...loadingOptions,
  },
  async run({ port, open = true, ...options }, [model], signal) {
    const settings = { model, open, loading: loadOptions(options) };
    try {
      await runServer({ ...settings, port: port ?? PORT }, signal);
    } catch (error) {
      const taken = error instanceof LiangError && error.code === "port_in_use";
      if (!taken || port !== undefined) throw error;
      note(`Port ${PORT} is taken (by another Liang?), so this one takes another.`);
      await runServer({ ...settings, port: 0 }, signal);
    }
  },
});
