// One model at several widths: what gets smaller and what that costs, and the picture of it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Ladder, type Rung, ladderPlot, measureLadder, typesUpTo } from "../../src/quantize/index.ts";
import { storiesModel } from "../../src/store/built-in.ts";

const STORY = "Once upon a time there was a little girl. She had a red ball and liked to play with it in the park.";

describe("the ladder", () => {
  test("measures each type beside the original, narrower ones smaller and further from it", async () => {
    const heard: Rung[] = [];
    const ladder = await measureLadder(storiesModel.path, {
      types: ["F32", "Q8_0", "Q4_0"],
      text: STORY,
      threads: 2,
      onRung: (rung) => heard.push(rung),
    });
    const [whole, eight, four] = ladder.rungs;
    assert.deepEqual(heard, ladder.rungs);
    assert.equal(whole.error, 0);
    assert.ok(whole.kl_divergence < 1e-6, String(whole.kl_divergence));
    assert.ok(Math.abs(whole.perplexity / ladder.perplexity_original - 1) < 1e-6);
    assert.ok(whole.bytes > eight.bytes && eight.bytes > four.bytes);
    assert.ok(eight.kl_divergence < four.kl_divergence && eight.error < four.error);
    for (const { tokens_per_second } of ladder.rungs) assert.ok(tokens_per_second > 0);
  });

  test("goes no wider than the model is stored", () => {
    assert.equal(typesUpTo("f32")[0], "F32");
    assert.equal(typesUpTo("bf16")[0], "BF16");
    assert.deepEqual(typesUpTo("q4_k"), ["Q4_K_M", "Q4_0", "Q3_K_M", "Q2_K"]);
  });

  test("is drawn with a point for each type, inside the picture, and names are text", () => {
    const rung = (type: Rung["type"], bits: number, divergence: number): Rung => ({
      type,
      bytes: 1e6 * bits,
      bits_per_weight: bits,
      error: 0.01,
      perplexity: 12.5,
      kl_divergence: divergence,
      same_top: 0.9,
      tokens_per_second: 30,
    });
    const ladder: Ladder = {
      model: "a<b",
      perplexity_original: 12.3,
      tokens: 100,
      rungs: [rung("F16", 16, 0), rung("Q8_0", 8.5, 0.001), rung("Q2_K", 2.6, 1.5)],
      notes: [],
    };
    const svg = ladderPlot(ladder);
    assert.match(svg, /^<svg /);
    assert.ok(svg.includes("a&lt;b") && !svg.includes("a<b"));
    const points = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
    assert.equal(points.length, 3);
    for (const [x, y] of points) assert.ok(x > 70 && x < 720 && y > 40 && y < 390, `${x}, ${y}`);
    assert.ok(points[0][0] > points[1][0] && points[1][0] > points[2][0], "more bits are further right");
    assert.ok(points[0][1] > points[1][1] && points[1][1] > points[2][1], "a larger divergence is higher");
  });
});
