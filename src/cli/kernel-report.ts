// `liang bench kernels`: each kernel's share of what this machine does at most, as tables or JSON. Models: bench.ts.
import { machineFacts } from "#platform";
import { type KernelReport, type KernelSpeed, measureKernels } from "../eval/kernel-speed.ts";
import { SHARE_MOST } from "../eval/ceiling-again.ts";
import { progressBar } from "./progress-bar.ts";
import { figure, out, outJson, paint } from "./terminal.ts";

export interface KernelBenchOptions {
  readonly tier?: string | undefined;
  /** Names between commas. */
  readonly formats?: string | undefined;
  readonly threads?: number | undefined;
  readonly json?: boolean | undefined;
}

export async function benchKernels(options: KernelBenchOptions, signal: AbortSignal): Promise<void> {
  const { tier, formats, threads = (await machineFacts()).cores, json } = options;
  const bar = progressBar();
  const onKernel = (done: number): void => bar.report({ label: "measuring", done, total: undefined, unit: "items" });
  onKernel(0);
  const measuring = measureKernels({
    threads,
    ...(tier !== undefined && { tier }),
    ...(formats !== undefined && { formats: formats.split(",").filter(Boolean) }),
    onKernel,
    signal,
  });
  const report = await measuring.finally(bar.end);
  if (json) outJson(report);
  else out(describe(report));
}

/** The report as text, a table for each class, within 80 columns. */
export function describe({ tier, threads, kernels }: KernelReport): string {
  const many = threads === 1 ? "one thread" : `${threads} threads`;
  const tables = SECTIONS.map(([title, isOne, belongs]) => {
    const lines = kernels.filter(belongs).map(({ kernel, rows, unit, measured, ceiling, bound, share }) => {
      const most = `${figure(ceiling)} ${unit} ${bound}`;
      return row([
        kernel,
        String(rows),
        `${figure(measured)} ${unit}`,
        most,
        `${figure(100 * share)} %${share > SHARE_MOST ? " !" : ""}`,
      ]);
    });
    const where = paint("faint", `on ${isOne ? "one thread" : many}`);
    return [`${title}, ${where}`, paint("faint", row(["KERNEL", "ROWS", "MEASURED", "CEILING", "SHARE"])), ...lines];
  });
  const remark = [
    "Best of many short runs, and what the machine did at most in the same minute.",
    "GB/s: 10^9 bytes of weights, of keys and values, or read and written.",
    "GOP/s: 10^9 multiplications and additions. Other busy programs blur all of it.",
  ];
  if (kernels.some(({ share }) => share > SHARE_MOST)) {
    remark.push("! Above its ceiling, measured twice: others disturbed that. Run it again.");
  }
  const head = `${paint("strong", "Kernels")} ${paint("faint", `${tier}, ${many}`)}`;
  return [head, ...tables.map((lines) => lines.join("\n")), paint("faint", remark.join("\n"))].join("\n\n");
}

/** Title, whether it runs on one thread, and what belongs there. */
const SECTIONS: readonly (readonly [string, boolean, (speed: KernelSpeed) => boolean])[] = [
  ["Products of decoding, weights from memory", false, (speed) => speed.class === "decode" && speed.bound === "memory"],
  ["Products of decoding, weights from cache", true, (speed) => speed.class === "decode" && speed.bound === "cache"],
  ["Products of prompts", false, (speed) => speed.class === "prompt"],
  ["Attention", false, (speed) => speed.class === "attention"],
  ["Between products, from and to cache", true, (speed) => speed.class === "rows"],
];

const WIDTHS = [18, 6, 14, 20, 9];

/** A name, and numbers below each other. */
const row = ([name, ...numbers]: readonly string[]): string =>
  name.padEnd(WIDTHS[0]) + numbers.map((number, i) => number.padStart(WIDTHS[i + 1])).join("");
