import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ShapeError } from "../base/errors.ts";
import { philox } from "../base/random.ts";
import { add, gather, graph, input, linear, parameter, rmsNorm, silu, state, writeRows } from "../graph/index.ts";
import { type ArenaValue, liveRanges, planArena } from "./planner.ts";

const ALIGNMENT = 64;
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Random lives of random values. */
function randomValues(seed: number): ArenaValue[] {
  let position = 0;
  const below = (n: number): number => philox(seed, 0, position++)[0] % n;
  const steps = 1 + below(30);
  return Array.from({ length: 1 + below(40) }, () => {
    const firstStep = below(steps);
    return { bytes: below(4) * below(500), firstStep, lastStep: firstStep + below(steps - firstStep) };
  });
}

describe("planArena", () => {
  test("never overlaps two live values, and never needs more than all side by side (2000 random programs)", () => {
    for (let seed = 0; seed < 2000; seed++) {
      const values = randomValues(seed);
      const { offsets, bytes } = planArena(values, ALIGNMENT);
      assert.equal(offsets.length, values.length);
      for (const [i, a] of values.entries()) {
        assert.equal(offsets[i] % ALIGNMENT, 0);
        assert.ok(offsets[i] + a.bytes <= bytes);
        for (const [j, b] of values.entries()) {
          if (i === j || b.lastStep < a.firstStep || a.lastStep < b.firstStep) continue;
          const apart = offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i];
          assert.ok(apart, `seed ${seed}: values ${i} and ${j} overlap`);
        }
      }
      assert.ok(bytes <= values.reduce((sum, value) => sum + align(value.bytes), 0), `seed ${seed}: too large`);
    }
  });

  test("a chain of a hundred layers needs no more than the values of one", () => {
    // x -> norm -> wide -> narrow, their sum the next x, a hundred times
    const values = Array.from({ length: 100 }, (_, layer): ArenaValue[] => [
      { bytes: 640, firstStep: 4 * layer, lastStep: 4 * layer + 4 },
      { bytes: 640, firstStep: 4 * layer + 1, lastStep: 4 * layer + 2 },
      { bytes: 2048, firstStep: 4 * layer + 2, lastStep: 4 * layer + 3 },
      { bytes: 640, firstStep: 4 * layer + 3, lastStep: 4 * layer + 4 },
    ]).flat();
    assert.ok(planArena(values, ALIGNMENT).bytes <= 640 + 640 + 2048 + 640);
  });

  test("refuses a value that dies before it is made", () => {
    assert.throws(() => planArena([{ bytes: 8, firstStep: 2, lastStep: 1 }], 8), ShapeError);
  });

  test("no values need no arena", () => {
    assert.deepEqual(planArena([], 64), { offsets: [], bytes: 0 });
  });
});

describe("liveRanges", () => {
  const rows = { name: "rows", bound: 4 };
  const ids = input("ids", [rows], "i32");

  test("a value lives from its step to its last reader, outputs to the end, leaves nowhere", () => {
    const x = gather(parameter("table", [10, 8]), ids);
    const h = rmsNorm(x, parameter("gain", [8]), 1e-6);
    const a = silu(h);
    const traced = graph({ y: add(x, linear(a, parameter("w", [8, 8]))), tapped: h });
    const lives = liveRanges(traced).map(({ tensor, elements, firstStep, lastStep }) => [
      tensor.op.name,
      elements,
      firstStep === traced.nodes.indexOf(tensor),
      lastStep === traced.nodes.length - 1 ? "end" : traced.nodes[lastStep].op.name,
    ]);
    assert.deepEqual(lives, [
      ["gather", 32, true, "end"],
      ["rmsNorm", 32, true, "end"],
      ["unary", 32, true, "linear"],
      ["linear", 32, true, "end"],
      ["binary", 32, true, "end"],
    ]);
  });

  test("a new version of a state needs no place", () => {
    const written = writeRows(state("kv", [16, 8], "f16"), ids, gather(parameter("table", [10, 8]), ids));
    const lives = liveRanges(graph({ y: silu(gather(parameter("other", [10, 8]), ids)), written }));
    assert.ok(lives.every(({ tensor }) => tensor !== written));
  });
});
