// Sentences a second of an embedding model on the cpu executor, straight on the encoder: 28 tokens each, one alone and 32
// together, weights as they are stored (f32) and rounded to bf16, which machines with tiles multiply faster. With --python,
// also those of onnxruntime on as many threads (embeddings-onnxruntime.py: f32 as exported and in its own fused operators, and
// int8), the sides by turns: the best of all rounds, and the ratio to what is exported and to what is fused.
// Run: node bench/embeddings.ts FOLDER [--threads 2] [--rounds 5] [--ms 400]
//      [--python PYTHON, which has onnxruntime, onnx and safetensors]
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { createCpuExecutor } from "../src/device/cpu/executor.ts";
import { openEncoder } from "../src/engine/encoder.ts";
import { openFileStore, readModelFiles } from "../src/engine/file-store.ts";
import { roundedStore } from "../src/engine/rounded-store.ts";
import { openModelFiles } from "../src/format/open-model-files.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "5" },
    ms: { type: "string", default: "400" },
    python: { type: "string" },
  },
});
const [folder] = positionals;
const threads = Number(values.threads);
const TOKENS = 28;
const BATCHES = [1, 32] as const;

/** One way to compute vectors. */
interface Side {
  readonly name: string;
  /** Hidden values of a text's first row. */
  readonly hidden: readonly number[];
  /** Milliseconds of the fastest run of so many texts. */
  best(batch: number): Promise<number>;
}

const files = await openModelFiles(folder);
const model = await readModelFiles(files);
const executor = createCpuExecutor();
const stored = openFileStore(files, model);
const ids = Array.from({ length: TOKENS }, (_, i) => 1000 + 17 * i);
const outputs = ids.map((_, i) => i);

async function ours(form: string, store: typeof stored, precision: "f32" | "fast") {
  const encoder = await openEncoder(model, store, executor, { precision, threads, window: 256 });
  const run = (batch: number) => encoder.run(Array.from({ length: batch }, () => ({ ids, outputs })));
  const [first] = await run(1);
  const side: Side = {
    name: `liang ${executor.tier} ${form}`,
    hidden: Array.from(first.subarray(0, model.width)),
    async best(batch) {
      let best = Infinity;
      for (const end = performance.now() + Number(values.ms); performance.now() < end;) {
        const start = performance.now();
        await run(batch);
        best = Math.min(best, performance.now() - start);
      }
      return best;
    },
  };
  return { side, close: () => encoder.close() };
}

/** The forms of embeddings-onnxruntime.py. */
async function startPeer(python: string) {
  const script = `${import.meta.dirname}/embeddings-onnxruntime.py`;
  const stdio = ["pipe", "pipe", "inherit"] as const;
  const child = spawn(python, [script, folder, values.threads, String(TOKENS)], { stdio: [...stdio] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const { done, value } = await answers.next();
    if (done) throw new Error(`onnxruntime ended: is it installed for ${python}?`);
    return value;
  };
  const { version, ...forms } = JSON.parse(await answer()) as { version: string } & Record<string, number[]>;
  const sides = Object.entries(forms as Record<string, number[]>).map(([form, hidden]): Side => {
    const best = async (batch: number): Promise<number> => {
      child.stdin.write(`${form} ${batch} ${values.ms}\n`);
      return Number(await answer());
    };
    return { name: `onnxruntime ${version} ${form}`, hidden, best };
  });
  return { sides, close: () => void child.stdin.end() };
}

const peer = values.python === undefined ? undefined : await startPeer(values.python);
const [exact, rounded] = [await ours("f32", stored, "f32"), await ours("bf16", roundedStore(stored), "fast")];
const sides = [exact.side, rounded.side, ...(peer?.sides ?? [])];
const times = sides.map(() => BATCHES.map(() => Infinity));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [b, batch] of BATCHES.entries()) {
    for (const [s, side] of sides.entries()) times[s][b] = Math.min(times[s][b], await side.best(batch));
  }
}
const theirs = ["exported", "fused"].map((form) => sides.findIndex(({ name }) => name.endsWith(form)));
console.log("| side | one sentence | ratios | 32 together | ratios | hidden values off by |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const [s, { name, hidden }] of sides.entries()) {
  const cells = BATCHES.flatMap((batch, b) => {
    const ratios = theirs.map((other) => (other < 0 ? "–" : (times[other][b] / times[s][b]).toFixed(2)));
    return [((1000 * batch) / times[s][b]).toFixed(0), ratios.join(", ")];
  });
  const off = hidden.reduce((most, value, i) => Math.max(most, Math.abs(value - sides[0].hidden[i])), 0);
  console.log(`| ${[name, ...cells, off.toExponential(1)].join(" | ")} |`);
}
peer?.close();
await exact.close();
await rounded.close();
await files.close();
