// The kernels' report as text: what stands where, on a fast machine with many threads and on a slow one.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelReport } from "../eval/kernel-speed.ts";
import { describe } from "./kernel-report.ts";
import { columns } from "./layout.ts";

const report: KernelReport = {
  tier: "avx512vnni",
  threads: 128,
  kernels: [
    { class: "decode", kernel: "q4_k", rows: 1, bound: "memory", ...bytes(612, 640) },
    { class: "decode", kernel: "q4_k", rows: 8, bound: "memory", ...bytes(320, 640) },
    { class: "decode", kernel: "q4_k", rows: 1, bound: "cache", ...bytes(62.9, 156) },
    { class: "prompt", kernel: "q4_k gated", rows: 512, bound: "bf16", ...operations(88000, 204800) },
    { class: "attention", kernel: "decode at 16384", rows: 1, bound: "memory", ...bytes(500, 640) },
    { class: "rows", kernel: "round to int8", rows: 32, bound: "cache", ...bytes(1.25, 156) },
  ],
};

type Numbers = Pick<KernelReport["kernels"][number], "unit" | "measured" | "ceiling" | "share">;

function bytes(measured: number, ceiling: number): Numbers {
  return { unit: "GB/s", measured, ceiling, share: measured / ceiling };
}
function operations(measured: number, ceiling: number): Numbers {
  return { unit: "GOP/s", measured, ceiling, share: measured / ceiling };
}

test("every kernel stands once, under its class, with its ceiling and share, within 80 columns", () => {
  const text = describe(report);
  const [head, memory, cache, prompts, attention, between] = text.split("\n\n");
  assert.equal(head, "Kernels avx512vnni, 128 threads");
  assert.match(
    memory,
    /from memory, on 128 threads\nKERNEL +ROWS +MEASURED +CEILING +SHARE\nq4_k +1 .*\nq4_k +8 [^\n]*$/,
  );
  assert.match(memory, /^q4_k +1 +612 GB\/s +640 GB\/s memory +95\.6 %$/m);
  assert.match(cache, /from cache, on one thread\n.*\nq4_k +1 +62\.9 GB\/s +156 GB\/s cache +40\.3 %$/);
  assert.match(prompts, /\nq4_k gated +512 +88000 GOP\/s +204800 GOP\/s bf16 +43 %$/);
  assert.match(attention, /\ndecode at 16384 +1 +500 GB\/s /);
  assert.match(between, /\nround to int8 +32 +1\.3 GB\/s +156 GB\/s cache +0\.8 %$/);
  for (const line of text.split("\n")) assert.ok(columns(line) <= 80, line);
});

test("a share above the ceiling is marked, and one sentence says why", () => {
  const fast = { ...report.kernels[0], ...bytes(700, 640) };
  const text = describe({ ...report, kernels: [fast, report.kernels[1]] });
  assert.match(text, /^q4_k +1 +700 GB\/s +640 GB\/s memory +109 % !$/m);
  assert.match(text, /^q4_k +8 .* 50 %$/m);
  assert.equal(text.match(/^! .*Run it again\.$/gm)?.length, 1);
  assert.doesNotMatch(describe(report), /!/);
  for (const line of text.split("\n")) assert.ok(columns(line) <= 80, line);
});

test("one thread is told as such", () => {
  const text = describe({ ...report, threads: 1 });
  assert.match(text, /^Kernels avx512vnni, one thread\n/);
  assert.match(text, /from memory, on one thread\n/);
});
