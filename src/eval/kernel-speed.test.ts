// The measurement of kernels at a size that says nothing of speed: that each tier's kernels run and what is told of them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UsageError } from "../base/errors.ts";
import { type Tier, findTier, tierNames } from "../device/cpu/tiers.ts";
import { kernelSpeed } from "./kernel-share.ts";
import { measureKernels } from "./kernel-speed.ts";

const tiny = { threads: 2, size: "tiny", formats: ["q4_k", "f32"] } as const;

/** The best tier here, the best of those without tiles, and WebAssembly: what is measured differs between these. */
const here = tierNames.filter((name) => typeof findTier(name) !== "string");
const withoutTiles = here.filter((name) => !(findTier(name) as Tier).machine.tiles);
const measured = new Set([here[0], withoutTiles[0], "wasm" as const]);

describe("kernels are measured", () => {
  for (const name of measured) {
    const tier = findTier(name);
    test(`of tier ${name}: every class, beside a ceiling`, async () => {
      assert.ok(typeof tier !== "string");
      let reported = 0;
      const report = await measureKernels({ ...tiny, tier: name, onKernel: (done) => (reported = done) });
      const { kernels } = report;
      assert.deepEqual([report.tier, report.threads, reported], [name, 2, kernels.length]);
      for (const speed of kernels) {
        const text = JSON.stringify(speed);
        for (const value of [speed.measured, speed.ceiling, speed.share]) {
          assert.ok(Number.isFinite(value) && value > 0, text);
        }
        const share = speed.measured / speed.ceiling;
        assert.ok(Math.abs(speed.share - share) < 0.02 * share, text); // all three have three digits
      }
      const products = (className: string): string[] =>
        kernels.filter((speed) => speed.class === className).map(({ kernel, bound }) => `${kernel} ${bound}`);
      assert.deepEqual(products("decode"), ["q4_k memory", "f32 memory", "q4_k cache", "f32 cache"]);
      const { tiles } = tier.machine;
      assert.deepEqual(products("prompt"), [tiles ? "q4_k bf16" : "q4_k int8", "f32 f32"]);
      assert.deepEqual(products("attention"), [
        "decode at 64 memory",
        tiles ? "prompt to 64 bf16" : "prompt to 64 f32",
      ]);
      assert.equal(products("rows").includes("into tiles cache"), tiles);
      assert.ok(products("rows").includes("rms norm cache"));
    });
  }

  test("until somebody aborts", async () => {
    const abort = new AbortController();
    const measuring = measureKernels({ ...tiny, onKernel: () => abort.abort(), signal: abort.signal });
    await assert.rejects(measuring, { name: "AbortError" });
  });

  test("and a tier, a format or a number of threads that is none is refused with what there is", async () => {
    const refused: readonly [Partial<Parameters<typeof measureKernels>[0]>, RegExp][] = [
      [{ tier: "sse2" }, /^--tier is "sse2", expected one of amx, /],
      [{ formats: ["q4_k", "q3_k"] }, /^--formats has "q3_k", expected some of f32, .*, q6_k, .*\.$/],
      [{ formats: [] }, /^--formats is empty, expected some of f32, /],
      [{ threads: 0 }, /^--threads is 0, expected 1 or more\.$/],
    ];
    for (const [options, message] of refused) {
      await assert.rejects(measureKernels({ ...tiny, ...options }), (error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        return true;
      });
    }
  });
});

test("a speed is told in three digits, in bytes where memory or a cache bounds it, else in operations", () => {
  const what = { class: "decode", kernel: "q4_k", rows: 1 } as const;
  const numbers = { measured: 12.3, ceiling: 24.7, share: 0.5 };
  assert.deepEqual(kernelSpeed({ ...what, bound: "memory" }, 12.34, 24.68), {
    ...what,
    bound: "memory",
    unit: "GB/s",
    ...numbers,
  });
  assert.equal(kernelSpeed({ ...what, bound: "int8" }, 1, 2).unit, "GOP/s");
});
