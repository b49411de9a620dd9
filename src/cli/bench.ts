// `liang bench`: how fast a model is on this machine, beside what its memory allows.
import { UnsupportedError, UsageError } from "../base/errors.ts";
import { SPEED_WINDOW, measureSpeed } from "../eval/speed.ts";
import { defineCommand } from "./command.ts";
import { openModel } from "./open.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { bytes, out, outJson, paint, tabulate } from "./terminal.ts";
import { progressBar } from "./progress-bar.ts";

export const command = defineCommand({
  summary: "Measures speed: reading 512 tokens, writing 128 after a prompt of 20.",
  usage: "MODEL",
  words: { least: 1, most: 1 },
  options: {
    runs: { type: "number", help: "best of this many runs, after one that does not count (default 3)" },
    json: { type: "boolean", help: "print JSON" },
    ...loadingOptions,
  },
  async run({ runs = 3, json, ...options }, [path], signal) {
    if (!Number.isInteger(runs) || runs < 1) throw new UsageError(`--runs is ${runs}, expected 1 or more.`);
    const window = options.window ?? SPEED_WINDOW;
    if (window < SPEED_WINDOW) throw new UsageError(`--window is ${window}, expected at least ${SPEED_WINDOW}.`);
    const opening = openModel(path, { ...loadOptions(options), window, slots: 1, signal });
    await using model = await opening.catch((error: unknown) => {
      if (!(error instanceof UsageError) || error.field !== "window" || options.window !== undefined) throw error;
      throw new UnsupportedError(`The measurement needs a window of ${SPEED_WINDOW} tokens, more than ${path} has.`);
    });
    const bar = progressBar();
    const report = (done: number): void => bar.report({ label: "measuring", done, total: runs, unit: "items" });
    report(0);
    const speed = await measureSpeed(model, runs, { onRun: report, signal }).finally(bar.end);
    if (json) {
      outJson(speed);
      return;
    }
    const streamed = (speed.decode_tok_s * speed.bytes_per_token) / 1e9;
    out(`${paint("strong", speed.model)} ${paint("faint", `${speed.tier}, ${speed.threads} threads`)}`);
    out(
      tabulate([
        ["reads", `${speed.prefill_tok_s} tok/s`],
        ["writes", `${speed.decode_tok_s} tok/s`],
        ["first token", `${speed.ttft_s} s`],
        ["weights read", `${bytes(speed.bytes_per_token)} a token, ${streamed.toFixed(1)} of ${speed.read_gb_s} GB/s`],
        ["memory", `${speed.rss_mb} MB, of these ${speed.weights_mb} MB weights`],
        ["loaded in", `${speed.load_s} s`],
      ]),
    );
  },
});
