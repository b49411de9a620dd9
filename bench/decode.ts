// Speed of the decode class's products by format, tier and rows, from cache and from memory, with what `liang bench kernels`
// does not ask for: other row counts, columns, precision (src/eval/decode-speed.ts).
// Run: node bench/decode.ts [--tiers amx,avx2] [--formats q4_k,q8_0] [--rows 1,2,4,8] [--threads 2] [--columns 1536]
//      [--precision f32] [--ms 300]
import { parseArgs } from "node:util";
import type { PackedFormat } from "../src/device/cpu/packed-layouts.ts";
import { decodeFromCache, decodeFromMemory } from "../src/eval/decode-speed.ts";
import type { KernelSpeed } from "../src/eval/kernel-speed.ts";
import { tiersOf } from "./tiers.ts";

const { values } = parseArgs({
  options: {
    tiers: { type: "string" },
    formats: { type: "string", default: "q4_k,q6_k,q8_0,q5_0,q5_k,q4_0,f16,bf16,f32" },
    rows: { type: "string", default: "1,2,4,8" },
    threads: { type: "string", default: "2" },
    columns: { type: "string", default: "1536" },
    precision: { type: "string", default: "fast" },
    ms: { type: "string", default: "300" },
  },
});
const formats = values.formats.split(",") as PackedFormat[];
const rows = values.rows.split(",").map(Number);

/** A line for each format: GB/s by rows, the first one's share, and what more rows cost beside it. */
async function print(tier: string, speeds: AsyncIterable<KernelSpeed>): Promise<void> {
  const all: KernelSpeed[] = [];
  for await (const speed of speeds) all.push(speed);
  for (const format of formats) {
    const found = all.filter(({ kernel }) => kernel === format);
    const [{ bound, ceiling, share, measured: first }] = found;
    const figures = found.map(({ measured }) => measured.toFixed(1).padStart(6)).join("");
    const costs = found.map(({ measured }) => (first / measured).toFixed(2)).join(" ");
    const most = `${(100 * share).toFixed(0)} % of ${ceiling}`;
    console.log(
      `${tier} ${format.padEnd(5)} ${bound}, rows ${rows.join(" ")}: GB/s${figures}; ${most}, rows cost ${costs}`,
    );
  }
}

for (const tier of tiersOf(values.tiers)) {
  const [threads, columns, ms] = [values.threads, values.columns, values.ms].map(Number);
  const options = { tier, threads, formats, rows, columns, precision: values.precision as "fast" | "f32", ms };
  await print(tier.name, decodeFromCache(options));
  await print(tier.name, decodeFromMemory(options));
}
