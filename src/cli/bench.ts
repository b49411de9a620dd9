// `liang bench`: how fast a model is on this machine, beside what its memory allows; the first word `kernels` measures
// kernels instead (kernel-report.ts), --train whole steps of training.
import { UnsupportedError, UsageError } from "../base/errors.ts";
import { machineFacts } from "#platform";
import { openExecutor } from "../chat/executors.ts";
import { SPEED_WINDOW, measureSpeed } from "../eval/speed.ts";
import { measureTraining } from "../train/training-speed.ts";
import { type OptionSpecs, type OptionValues, defineCommand } from "./command.ts";
import { benchKernels } from "./kernel-report.ts";
import { openModel } from "./open.ts";
import { loadOptions, loadingOptions } from "./sampling.ts";
import { bytes, duration, figure, out, outJson, paint, tabulate } from "./terminal.ts";
import { progressBar } from "./progress-bar.ts";

const modelOptions = {
  runs: { type: "number", help: "best of this many runs, after one that does not count (default 3)" },
  json: { type: "boolean", help: "print JSON" },
  ...loadingOptions,
} as const satisfies OptionSpecs;

export const command = defineCommand({
  summary: "Measures speed: reading 512 tokens, writing 128 after a prompt of 20.",
  usage: "MODEL|kernels|--train",
  words: { least: 0, most: 1 },
  options: {
    ...modelOptions,
    train: { type: "boolean", help: "measure training: steps of a GPT of 13.9 million parameters" },
    tier: { type: "string", hint: "NAME", help: "kernels: of these instructions (default: those in use)" },
    formats: {
      type: "string",
      hint: "LIST",
      help: "kernels: by weights of these formats, as q4_k,q8_0 (default: all)",
    },
  },
  notes: [
    "liang bench kernels [--tier NAME] [--formats LIST] [--threads N] [--json] needs",
    "no model: it shows each kernel's share of what this machine can do at most. A",
    "model of that name is measured by its path.",
  ],
  async run({ train, tier, formats, ...given }, [path], signal) {
    if (train === true && path === undefined && tier === undefined && formats === undefined) {
      await benchTraining(given, signal);
      return;
    }
    if (train === true) throw new UsageError("--train measures a model of its own, and no kernels.");
    if (path === undefined) throw new UsageError("bench needs a model, or `kernels`.", { hint: "See --help." });
    if (path === "kernels") {
      const { threads, json, ...others } = given;
      const [other] = Object.keys(others);
      if (other !== undefined) throw new UsageError(`--${other} says nothing to the kernels' measurement.`);
      await benchKernels({ tier, formats, threads, json }, signal);
      return;
    }
    if (tier !== undefined) throw new UsageError("--tier is for kernels; LIANG_CPU=NAME measures a model with it.");
    if (formats !== undefined) throw new UsageError("--formats is for kernels; a model has the formats of its file.");
    await benchModel(path, given, signal);
  },
});

async function benchTraining(
  { runs = 3, json, threads, precision, executor: named, ...others }: OptionValues<typeof modelOptions>,
  signal: AbortSignal,
): Promise<void> {
  const [other] = Object.keys(others);
  if (other !== undefined) throw new UsageError(`--${other} says nothing to the measurement of training.`);
  const options = loadOptions({ threads, precision, executor: named });
  const executor = await openExecutor(options.executor);
  const bar = progressBar();
  const speed = await measureTraining({
    executor,
    threads: options.threads ?? (await machineFacts()).cores,
    precision: options.precision ?? "fast",
    steps: runs,
    documents: 16,
    signal,
    onStep: (done) => bar.report({ label: "training", done, total: runs, unit: "items" }),
  }).finally(bar.end);
  if (json) {
    outJson(speed);
    return;
  }
  const peak = speed.peak_gflops === null ? "" : ` of ${figure(speed.peak_gflops)}`;
  out(
    tabulate([
      ["trains", `${figure(speed.tokens_per_s)} tok/s, ${figure(speed.params / 1e6)} million parameters`],
      ["operations", `${figure(speed.gflops)}${peak} GFLOP/s in ${speed.precision} (${speed.tier})`],
      ["loss", `${speed.loss_first.toFixed(2)} to ${speed.loss_last.toFixed(2)}`],
    ]),
  );
}

async function benchModel(
  path: string,
  { runs = 3, json, ...options }: OptionValues<typeof modelOptions>,
  signal: AbortSignal,
): Promise<void> {
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
  const threads = speed.threads === 1 ? "1 thread" : `${speed.threads} threads`;
  const facts = `${speed.tier}, ${threads}${options.pin === true ? ", pinned" : ""}`;
  out(`${paint("strong", speed.model)} ${paint("faint", facts)}`);
  out(
    tabulate([
      ["reads", `${figure(speed.prefill_tok_s)} tok/s`],
      ["writes", `${figure(speed.decode_tok_s)} tok/s`],
      ["first token", duration(1000 * speed.ttft_s)],
      [
        "weights read",
        `${bytes(speed.bytes_per_token)} a token, ${figure(streamed)} of ${figure(speed.read_gb_s)} GB/s`,
      ],
      ["keys and values", `${bytes(speed.kv_bytes_per_token)} a token, ${speed.kv_type}`],
      ["memory", `${speed.rss_mb} MB, of these ${speed.weights_mb} MB weights`],
      ["loaded in", duration(1000 * speed.load_s)],
    ]),
  );
}
