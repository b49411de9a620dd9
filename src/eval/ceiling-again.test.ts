// What seems faster than the machine is held to a ceiling that is measured once more; the rest stays as it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { tierInUse } from "../device/cpu/tiers.ts";
import { withCeilingsAgain } from "./ceiling-again.ts";
import { kernelSpeed } from "./kernel-share.ts";

const given = { tier: tierInUse(), threads: 1, peakMs: 0, ms: 0, block: 1 << 20 };

test("a ceiling that was measured too low is measured again, for each bound", async () => {
  for (const bound of ["memory", "cache", "f32", "int8"] as const) {
    const what = { class: "decode", kernel: "q4_k", rows: 1, bound } as const;
    const [low, fair] = [kernelSpeed(what, 2e-3, 1e-3), kernelSpeed(what, 1, 2)];
    const [raised, same] = await withCeilingsAgain([low, fair], given);
    assert.ok(raised.ceiling > 1e-3 && raised.share < 1, JSON.stringify(raised));
    assert.equal(raised.measured, low.measured);
    assert.deepEqual(same, fair);
  }
});

test("a speed that is above that too keeps the higher ceiling", async () => {
  const fast = kernelSpeed({ class: "decode", kernel: "q4_k", rows: 1, bound: "f32" }, 1e9, 1e8);
  assert.deepEqual(await withCeilingsAgain([fast], given), [fast]);
});
