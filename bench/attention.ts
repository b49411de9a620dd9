// Speed of attention on the cpu executor, with what `liang bench kernels` does not ask for: other shapes, lengths, chunks,
// rows, precision (src/eval/attention-speed.ts).
// Run: node bench/attention.ts [--tiers amx,avx2] [--models qwen,gemma] [--decode 1024,8192] [--prompt 512,2048] [--threads 2]
//      [--chunk 512] [--rows 1] [--precision f32] [--type q8_0] [--ms 400]
import { parseArgs } from "node:util";
import { attentionShapes, attentionSpeeds } from "../src/eval/attention-speed.ts";
import { measurePeaks } from "../src/eval/machine-speed.ts";
import { readBandwidth } from "../src/eval/read-bandwidth.ts";
import { tiersOf } from "./tiers.ts";

const { values } = parseArgs({
  options: {
    tiers: { type: "string" },
    models: { type: "string", default: "qwen,gemma" },
    decode: { type: "string", default: "256,1024,8192,16384" },
    prompt: { type: "string", default: "512,2048" },
    chunk: { type: "string", default: "512" },
    rows: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
    precision: { type: "string", default: "fast" },
    type: { type: "string", default: "f16" },
    ms: { type: "string", default: "400" },
  },
});
const numbers = (list: string): number[] => list.split(",").filter(Boolean).map(Number);
const [threads, chunk, rows, ms] = [values.threads, values.chunk, values.rows, values.ms].map(Number);
const lengths = { decode: numbers(values.decode), prompt: numbers(values.prompt), chunk, rows };

for (const tier of tiersOf(values.tiers)) {
  const peaks = await measurePeaks(tier, threads);
  const readGigabytes = await readBandwidth(threads);
  for (const model of values.models.split(",") as (keyof typeof attentionShapes)[]) {
    const shape = attentionShapes[model];
    const options = {
      tier,
      threads,
      readGigabytes,
      peaks,
      shape,
      ...lengths,
      precision: values.precision as "fast",
      type: values.type as "f16",
      ms,
    };
    for await (const { kernel, rows: count, measured, unit, ceiling, bound, share } of attentionSpeeds(options)) {
      const most = `${(100 * share).toFixed(0)} % of ${bound}'s ${ceiling}`;
      console.log(`${tier.name} ${model} ${kernel} x${count}: ${measured} ${unit}, ${most}`);
    }
  }
}
