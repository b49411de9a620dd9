// Which format each tensor gets: the rules, and what stands in where rows are no whole blocks.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UsageError } from "../base/errors.ts";
import type { FormatName } from "../numeric/registry.ts";
import { type MixName, type Place, chooseFormat, layerOf, mixNamed, mixes } from "./mixes.ts";

function formatIn(mix: MixName, name: string, place: Partial<Place> = {}, columns = 1024, tied = false): FormatName {
  const whole = { layer: layerOf(name), layers: 18, headsPerKey: 1, weighted: false, ...place };
  return chooseFormat(mixes[mix], name, columns, whole, tied).format;
}

/** The layers in which a part has the format. */
const layersWith = (mix: MixName, part: string, format: FormatName, place: Partial<Place> = {}): number[] =>
  Array.from({ length: 18 }, (_, layer) => layer).filter(
    (layer) => formatIn(mix, `blk.${layer}.${part}.weight`, place) === format,
  );

describe("mixes", () => {
  test("Q4_K_M gives more bits to the layers that llama.cpp gives them to", () => {
    // as in the published Q4_K_M file of gemma-3-270m, which has 18 layers
    const more = [0, 1, 4, 7, 10, 13, 15, 16, 17];
    assert.deepEqual(layersWith("Q4_K_M", "attn_v", "q6_k"), more);
    assert.deepEqual(layersWith("Q4_K_M", "ffn_down", "q6_k"), more);
    assert.deepEqual(layersWith("Q4_K_M", "attn_qkv", "q6_k"), more);
    for (const part of ["attn_q", "attn_k", "attn_output", "ffn_gate", "ffn_up"]) {
      assert.equal(layersWith("Q4_K_M", part, "q4_k").length, 18);
    }
  });

  test("Q4_K_S gives more bits to the first layers only", () => {
    assert.deepEqual(layersWith("Q4_K_S", "attn_v", "q5_k"), [0, 1, 2, 3]);
    assert.deepEqual(layersWith("Q4_K_S", "ffn_down", "q5_k"), [0, 1]);
  });

  test("Q3_K_M, Q2_K and IQ4_XS give more bits where llama.cpp does", () => {
    assert.deepEqual(layersWith("Q3_K_M", "attn_v", "q5_k"), [0, 1]);
    assert.deepEqual(layersWith("Q3_K_M", "ffn_down", "q5_k"), [0]);
    assert.equal(layersWith("Q3_K_M", "attn_output", "q4_k").length, 18);
    assert.equal(layersWith("Q3_K_M", "ffn_up", "q3_k").length, 18);
    assert.equal(formatIn("Q2_K", "blk.3.attn_v.weight", { headsPerKey: 4 }), "q4_k");
    assert.equal(formatIn("Q2_K", "blk.3.attn_v.weight", { headsPerKey: 2 }), "q3_k");
    assert.equal(formatIn("Q2_K", "blk.3.ffn_gate.weight"), "q2_k");
    assert.deepEqual(layersWith("IQ4_XS", "ffn_down", "q5_k"), [0, 1]);
    assert.deepEqual(layersWith("IQ4_XS", "ffn_down", "q5_k", { weighted: true }), []);
  });

  test("Q4_0 and Q5_0 keep a minimum in the first layers where there are importances", () => {
    assert.deepEqual(layersWith("Q4_0", "ffn_down", "q4_1"), []);
    assert.deepEqual(layersWith("Q4_0", "ffn_down", "q4_1", { weighted: true }), [0, 1]);
    assert.deepEqual(layersWith("Q5_0", "ffn_down", "q5_1", { weighted: true }), [0, 1]);
  });

  test("the head is Q6_K, or Q8_0 where the rest is, and so is an embedding that is the head too", () => {
    assert.equal(formatIn("Q4_K_M", "output.weight"), "q6_k");
    assert.equal(formatIn("Q8_0", "output.weight"), "q8_0");
    assert.equal(formatIn("Q4_0", "token_embd.weight"), "q4_0");
    assert.equal(formatIn("Q4_0", "token_embd.weight", {}, 1024, true), "q6_k");
    assert.equal(formatIn("Q4_K_M", "output.weight", {}, 320), "q8_0");
    assert.equal(formatIn("F16", "output.weight"), "f16");
  });

  test("rows that are no whole blocks get shorter blocks, or none, and that is told", () => {
    const place = { layer: 0, layers: 18, headsPerKey: 1, weighted: false };
    const chosen = (mix: MixName, columns: number) =>
      chooseFormat(mixes[mix], "blk.5.attn_q.weight", columns, place, false);
    assert.deepEqual(chosen("Q4_K_M", 256), { format: "q4_k" });
    assert.deepEqual(chosen("Q4_K_M", 288), { format: "q5_0", instead: "q4_k" });
    assert.deepEqual(chosen("Q5_K_M", 288), { format: "q5_1", instead: "q5_k" });
    assert.deepEqual(chosen("Q6_K", 288), { format: "q8_0", instead: "q6_k" });
    assert.deepEqual(chosen("Q4_K_M", 172), { format: "f16", instead: "q4_k" });
    assert.deepEqual(chosen("BF16", 172), { format: "bf16" });
  });

  test("types are known in any case, and by short names", () => {
    assert.equal(mixNamed("q4_k_m"), "Q4_K_M");
    assert.equal(mixNamed("q4-0"), "Q4_0");
    assert.equal(mixNamed("Q4_K"), "Q4_K_M");
    assert.throws(() => mixNamed("Q4_X"), UsageError);
  });
});
