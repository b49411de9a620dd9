// The doctor's report as text: what a machine with everything, and one with nothing, is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Report, describe } from "./doctor.ts";
import { columns } from "./layout.ts";

const whole: Report = {
  version: "1.2.3",
  node: "v26.0.0",
  machine: {
    cores: 64,
    cpu: "A Processor With a Name(R) of Some Length, as They Have Them, at 3.00GHz",
    os: "linux",
    architecture: "x64",
    memoryTotalBytes: 64e9,
    memoryAvailableBytes: 60e9,
  },
  machine_code: { available: true },
  checking: false,
  threads: 64,
  read_gb_s: { one_thread: 17.1, all_threads: 312 },
  tiers: [
    { tier: "amx", inUse: true, peaks: { f32: 12800, int8: 57600, bf16: 204800 } },
    {
      tier: "avx512vnni",
      inUse: false,
      missing: "The processor has no avx512f, avx512bw, avx512dq, avx512vl, avx512_vnni.",
    },
    { tier: "wasm", inUse: false, peaks: { f32: 53.26, int8: 87.91 } },
  ],
  home: "/home/somebody/.local/share/liang",
  models: 3,
  model_bytes: 4.2e9,
  kept_bytes: { packed_weights: 1.1e9, machine_code: 4e6 },
};

const bare: Report = {
  ...whole,
  threads: 1,
  machine_code: { available: false, reason: "koffi, an optional package, does not load: Cannot find module 'koffi'" },
  tiers: [
    { tier: "avx2", inUse: false, missing: "koffi, an optional package, does not load: Cannot find module 'koffi'" },
    { tier: "wasm", inUse: true, peaks: { f32: 53.26, int8: 87.91 } },
  ],
};

test("the report tells speeds, what is in use and which features are missing, within 80 columns", () => {
  const text = describe(whole);
  assert.match(text, /17\.1 GB\/s on one thread, 312 on 64/);
  assert.match(text, /amx +12800 +57600 +204800 +in use/);
  assert.match(text, /avx512vnni +The processor has no avx512f,/);
  assert.match(text, /wasm +53 +88$/m);
  assert.match(text, /on 64 threads: a multiplication\nis one, an addition another\./);
  assert.doesNotMatch(text, /checking/);
  assert.match(text, /kept +1\.1 GB of packed weights, 4\.0 MB of machine code/);
  assert.ok(text.split("\n").every((line) => columns(line) <= 80));
});

test("where there is no machine code its reason stands once", () => {
  const text = describe({ ...bare, checking: true });
  assert.match(text, /^checking +on: LIANG_CHECK=1/m);
  assert.match(text, /machine code +koffi, an optional package,/);
  assert.match(text, /avx2 +needs machine code/);
  assert.match(text, /on one thread: a multiplication/);
  assert.ok(text.split("\n").every((line) => columns(line) <= 80));
});
