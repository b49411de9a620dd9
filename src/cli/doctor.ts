// `liang doctor`: what this machine is, what of it Liang uses and why not more, and what it can do at most.
import process from "node:process";
import { type MachineFacts, dataFolder, machineFacts, native } from "#platform";
import { sum } from "../base/collections.ts";
import { type TierSpeed, isChecking, measureTiers } from "../eval/machine-speed.ts";
import { readBandwidth } from "../eval/read-bandwidth.ts";
import { builtInModels } from "../store/built-in.ts";
import { codeFolder, keptCodeBytes, openModelList, openPackCache, packedFolder } from "../store/index.ts";
import { defineCommand, table } from "./command.ts";
import { progressBar } from "./progress-bar.ts";
import { bytes, out, outJson, paint } from "./terminal.ts";
import { version } from "./version.ts";

export const command = defineCommand({
  summary: "Shows what this machine can do, what of it Liang uses, and why not more.",
  usage: "",
  words: { least: 0, most: 0 },
  options: {
    threads: { type: "number", help: "measure with so many threads (default: the machine's)" },
    json: { type: "boolean", help: "print JSON" },
  },
  notes: ["LIANG_CPU=NAME makes any command use another of the instruction sets."],
  async run({ threads, json }) {
    const report = await examine(threads);
    if (json) outJson(report);
    else out(describe(report));
  },
});

export interface Report {
  readonly version: string;
  readonly node: string;
  readonly machine: MachineFacts;
  /** Whether kernels can be machine code; where not, why. */
  readonly machine_code: { readonly available: boolean; readonly reason?: string };
  /** Whether LIANG_CHECK=1 guards what kernels touch. */
  readonly checking: boolean;
  readonly threads: number;
  /** Memory read, in 10^9 bytes a second. */
  readonly read_gb_s: { readonly one_thread: number; readonly all_threads: number };
  /** Best first; peaks in 10^9 operations a second with all threads. */
  readonly tiers: readonly TierSpeed[];
  readonly home: string;
  readonly models: number;
  readonly model_bytes: number;
  /** What earlier starts left in `packed/` and `code/` of the home for later ones. */
  readonly kept_bytes: { readonly packed_weights: number; readonly machine_code: number };
}

async function examine(asked: number | undefined): Promise<Report> {
  const machine = await machineFacts();
  const threads = asked ?? machine.cores;
  const host = native();
  const checking = isChecking();
  const home = dataFolder();
  const models = await openModelList(home, builtInModels).list();
  const bar = progressBar();
  const measuring = (done: number): void => bar.report({ label: "measuring", done, total: 3, unit: "items" });
  try {
    measuring(0);
    const one = await readBandwidth(1);
    measuring(1);
    const all = threads === 1 ? one : await readBandwidth(threads);
    measuring(2);
    return {
      version: await version(),
      node: process.version,
      machine,
      machine_code: "reason" in host ? { available: false, reason: host.reason } : { available: true },
      checking,
      threads,
      read_gb_s: { one_thread: round(one), all_threads: round(all) },
      tiers: await measureTiers(threads),
      home,
      models: models.length,
      model_bytes: models.reduce((sum, model) => sum + (model.bytes ?? 0), 0),
      kept_bytes: {
        packed_weights: sum((await openPackCache(packedFolder(home)).list()).map((pack) => pack.bytes)),
        machine_code: keptCodeBytes(codeFolder(home)),
      },
    };
  } finally {
    bar.end();
  }
}

const round = (value: number): number => Number(value.toPrecision(3));

/** The report as text, within 80 columns. */
export function describe(report: Report): string {
  const { machine, machine_code: code, kept_bytes: kept, read_gb_s: read, threads } = report;
  const faint = (text: string): string => paint("faint", text);
  const many = threads === 1 ? "" : `, ${read.all_threads} on ${threads}`;
  const facts: readonly (readonly [string, string])[] = [
    ["machine", machine.cpu],
    ["", `${machine.cores} cores, ${machine.os} ${machine.architecture}, Node ${report.node.slice(1)}`],
    ["memory", `${bytes(machine.memoryTotalBytes)}, of which ${bytes(machine.memoryAvailableBytes)} are free`],
    ["reads", `${read.one_thread} GB/s on one thread${many}`],
    ["machine code", code.available ? "yes" : (code.reason ?? "no")],
    ...(report.checking
      ? [["checking", "on: LIANG_CHECK=1 makes models slower and larger, and finds faults"] as const]
      : []),
    ["home", report.home],
    ["models", `${report.models}, ${bytes(report.model_bytes)}`],
    ["kept", `${bytes(kept.packed_weights)} of packed weights, ${bytes(kept.machine_code)} of machine code`],
    ["", "for quick starts; home's folders packed and code may go any time"],
  ];
  const rows = report.tiers.map(({ tier, inUse, peaks, missing }) => {
    const numbers = [peaks?.f32, peaks?.int8, peaks?.bf16];
    const why = code.reason !== undefined && missing === code.reason ? "needs machine code" : missing;
    return row([tier, ...numbers.map(operations)], why ?? (inUse ? "in use" : ""));
  });
  return [
    `${paint("strong", "Liang")} ${faint(report.version)}`,
    ...facts.map(([name, value]) => table(name, value, FACT_COLUMN)),
    "",
    faint(row(["INSTRUCTIONS", "F32", "INT8", "BF16"], "")),
    ...rows,
    "",
    faint(
      `10^9 operations a second at most, on ${threads === 1 ? "one thread" : `${threads} threads`}: a multiplication`,
    ),
    faint("is one, an addition another. INT8 is by vectors everywhere: tiles take BF16."),
  ].join("\n");
}

const FACT_COLUMN = 14;
const NUMBER_COLUMNS = 8;

/** A kernel set's name, three numbers below each other, and a remark that may take several lines. */
function row([name, ...numbers]: readonly string[], remark: string): string {
  const left = name.padEnd(FACT_COLUMN) + numbers.map((number) => number.padStart(NUMBER_COLUMNS)).join("");
  return table(left, remark, FACT_COLUMN + 3 * NUMBER_COLUMNS + 2).trimEnd();
}

const operations = (giga: number | undefined): string =>
  giga === undefined ? "" : String(giga < 100 ? Number(giga.toPrecision(2)) : Math.round(giga));
