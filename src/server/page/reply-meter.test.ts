import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplyMeter } from "./reply-meter.ts";

test("a reply's counts and speed are known at any time from its first token on", () => {
  let nowMs = 1000;
  const meter = new ReplyMeter(64, () => nowMs);
  meter.note({ type: "prefill", done: 9, total: 9 });
  nowMs += 500;
  meter.note({ type: "text-start", promptTokens: 9, cachedTokens: 4, seed: 7 });
  assert.equal(meter.stats, undefined);
  meter.note({ type: "text-delta", text: "量", ids: [1, 2, 3] });
  const known = { promptTokens: 9, cachedTokens: 4, seed: 7, window: 64, firstTokenMs: 500 };
  assert.deepEqual(meter.stats, { ...known, completionTokens: 3, tokensPerSecond: 0 });
  nowMs += 250;
  meter.note({ type: "text-delta", text: "a", ids: [4] });
  nowMs += 250;
  meter.note({ type: "text-delta", text: "b", ids: [5] });
  assert.deepEqual(meter.stats, { ...known, completionTokens: 5, tokensPerSecond: 4 });
});
