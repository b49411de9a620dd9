// The other side of memory.test.ts: a process that loads one model, fills its window, closes it, and tells what it grew by
// at most, then, and now.
import { resourceUsage } from "node:process";
import { residentBytes } from "#platform";
import { load } from "../../src/index.ts";

const [path, window] = process.argv.slice(2);
const before = residentBytes();
await using model = await load(path, { window: Number(window), slots: 1 });
const ids = Array.from({ length: model.info.window - 9 }, (_, i) => 100 + (i % 400));
for await (const event of model.generate(ids, { temperature: 0, maxTokens: 8, ignoreEnd: true })) void event;
const grownBytes = residentBytes() - before;
const peakBytes = resourceUsage().maxRSS * 1024 - before;
await model.close();
const { weights, memory: planned } = model.info;
console.log(JSON.stringify({ planned, weights, grownBytes, peakBytes, keptBytes: residentBytes() - before }));
