// Which kernel sets this host has, how one is asked for, and what is said where it is not there.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UnsupportedError, UsageError } from "../../base/errors.ts";
import { defineKernel } from "../../lanes/index.ts";
import { KernelRun } from "./kernel-run.ts";
import { type Tier, chooseTier, findTier, forcedTier, parseTier, tierInUse, tierNames } from "./tiers.ts";

const found = tierNames.map((name) => ({ name, tier: findTier(name) }));
const here = found.flatMap(({ tier }) => (typeof tier === "string" ? [] : [tier]));

/** out[i] = the number of the part that wrote it, and its sum with what was there, by way of scratch. */
const mark = defineKernel("mark", ["out", "count"], (k, { out, count }) => {
  k.scratch.store(k.part.mul(1000));
  k.share(count, (first, end) => {
    k.range(first, end, 1, (i) => {
      const at = out.add(i.mul(4));
      at.store(at.loadInt().add(k.scratch.loadInt()).add(i));
    });
  });
});

/** As `mark` does it. */
function marked(count: number, parts: number, before: number): number[] {
  return Array.from({ length: parts }, (_, part) => {
    const length = Math.floor(count / parts) + (part < count % parts ? 1 : 0);
    return Array<number>(length).fill(part * 1000);
  })
    .flat()
    .map((value, i) => value + i + before);
}

async function runsMark(tier: Tier): Promise<void> {
  const COUNT = 1013;
  await using run = new KernelRun({ tier, kernels: [mark], threads: 2, bytes: COUNT * 4 });
  const numbers = new Int32Array(run.data.buffer, run.data.byteOffset, COUNT).fill(7);
  await run.run(mark, { out: run.address, count: COUNT }, 9);
  assert.deepEqual([...numbers], marked(COUNT, 9, 7));
}

describe("tiers", () => {
  for (const { name, tier } of found) {
    const skip = typeof tier === "string" ? tier : false;
    it(`${name} runs a kernel on two threads with scratch of their own`, { skip }, () => runsMark(tier as Tier));
  }

  it("wasm is everywhere, and the best one is taken where none is asked for", () => {
    assert.equal(here.at(-1)?.name, "wasm");
    assert.equal(chooseTier().name, here[0].name);
    assert.equal(chooseTier("wasm").name, "wasm");
  });

  it("says why a tier is not here", () => {
    for (const { name, tier } of found) {
      if (typeof tier !== "string") continue;
      assert.match(tier, /\.$/);
      assert.throws(() => chooseTier(name), UnsupportedError);
    }
  });

  it("reads LIANG_CPU, and refuses a name that is none", () => {
    const kept = process.env.LIANG_CPU;
    try {
      delete process.env.LIANG_CPU;
      assert.equal(forcedTier(), undefined);
      process.env.LIANG_CPU = "wasm";
      assert.equal(tierInUse().name, "wasm");
      process.env.LIANG_CPU = "WASM";
      assert.equal(tierInUse().name, "wasm");
      process.env.LIANG_CPU = "sse9";
      assert.throws(() => forcedTier(), UsageError);
    } finally {
      if (kept === undefined) delete process.env.LIANG_CPU;
      else process.env.LIANG_CPU = kept;
    }
    assert.throws(() => parseTier("", "The tier"), UsageError);
  });
});
