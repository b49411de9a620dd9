// Speed of the prompt class's products by format, tier and rows, plain and gated, with what `liang bench kernels` does not
// ask for: other row counts, shapes, precision (src/eval/prompt-speed.ts). Decode class: decode.ts.
// Run: node bench/kernels.ts [--tiers amx,avx2] [--formats q4_k,q8_0] [--rows 512,128,32] [--threads 2] [--columns 1536]
//      [--outer 1536] [--precision f32] [--ms 300]
import { parseArgs } from "node:util";
import type { PackedFormat } from "../src/device/cpu/packed-layouts.ts";
import { measurePeaks } from "../src/eval/machine-speed.ts";
import { promptSpeeds } from "../src/eval/prompt-speed.ts";
import { tiersOf } from "./tiers.ts";

const { values } = parseArgs({
  options: {
    tiers: { type: "string" },
    formats: { type: "string", default: "q4_k,q6_k,q8_0,q5_0,f32" },
    rows: { type: "string", default: "512,128,32" },
    threads: { type: "string", default: "2" },
    columns: { type: "string", default: "1536" },
    outer: { type: "string", default: "1536" },
    precision: { type: "string", default: "fast" },
    ms: { type: "string", default: "300" },
  },
});
const [threads, columns, outer, ms] = [values.threads, values.columns, values.outer, values.ms].map(Number);
const rows = values.rows.split(",").map(Number);
const formats = values.formats.split(",") as PackedFormat[];
const precision = values.precision as "fast" | "f32";

for (const tier of tiersOf(values.tiers)) {
  const peaks = await measurePeaks(tier, threads);
  const options = { tier, threads, peaks, formats, precision, rows, columns, outer, gated: true, ms };
  for await (const { kernel, rows: count, measured, ceiling, bound, share } of promptSpeeds(options)) {
    const most = `${(100 * share).toFixed(0)} % of ${bound}'s ${ceiling}`;
    console.log(`${tier.name} ${kernel.padEnd(11)} x${count}: ${measured} GOP/s, ${most}`);
  }
}
