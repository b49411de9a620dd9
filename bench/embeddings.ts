// Sentences a second of an embedding model on the cpu executor, straight on the encoder: 28 tokens each, one alone and 32
// together, weights as they are stored (f32) and rounded to bf16, which machines with tiles multiply faster.
// Run: node bench/embeddings.ts FOLDER [--threads 2] [--seconds 4]
import { parseArgs } from "node:util";
import { createCpuExecutor } from "../src/device/cpu/executor.ts";
import { openEncoder } from "../src/engine/encoder.ts";
import { openFileStore, readModelFiles } from "../src/engine/file-store.ts";
import { roundedStore } from "../src/engine/rounded-store.ts";
import { openModelFiles } from "../src/format/open-model-files.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: "string", default: "2" }, seconds: { type: "string", default: "4" } },
});
const TOKENS = 28;
const BATCHES = [1, 32];

const files = await openModelFiles(positionals[0]);
const model = await readModelFiles(files);
const executor = createCpuExecutor();
const stored = openFileStore(files, model);
const ids = Array.from({ length: TOKENS }, (_, i) => 1000 + 17 * i);
const outputs = ids.map((_, i) => i);
const forms = {
  f32: { store: stored, precision: "f32" },
  bf16: { store: roundedStore(stored), precision: "fast" },
} as const;
let exact: Float32Array | undefined;
for (const [form, { store, precision }] of Object.entries(forms)) {
  const threads = Number(values.threads);
  await using encoder = await openEncoder(model, store, executor, { precision, threads, window: 256 });
  for (const batch of BATCHES) {
    const texts = Array.from({ length: batch }, () => ({ ids, outputs }));
    const [first] = await encoder.run(texts);
    exact ??= first;
    const off = first.reduce((most, value, i) => Math.max(most, Math.abs(value - exact![i])), 0);
    let best = Infinity;
    for (const end = performance.now() + Number(values.seconds) * 1000; performance.now() < end;) {
      const start = performance.now();
      await encoder.run(texts);
      best = Math.min(best, performance.now() - start);
    }
    const speed = Math.round((1000 * batch) / best);
    console.log(
      `${executor.tier} ${form}, batch ${batch}: ${speed} sentences/s at best; hidden values off by ${off.toFixed(4)}`,
    );
  }
}
await files.close();
