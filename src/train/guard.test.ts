import assert from "node:assert/strict";
import { test } from "node:test";
import { type GuardState, afterApplied, afterLeftOut, newGuard, reasonToLeaveOut } from "./guard.ts";

const settings = { deviations: 6, patience: 3 };
const after = (losses: readonly number[]): GuardState => losses.reduce(afterApplied, newGuard);
const leaveOut = (state: GuardState, loss: number, norm = 1) => reasonToLeaveOut(state, { loss, norm }, settings);
const even = Array.from({ length: 40 }, (_, i) => 4 + 0.1 * Math.sin(i));

test("what is no number is left out, also at the first step", () => {
  assert.match(leaveOut(newGuard, NaN)!, /loss is NaN/);
  assert.match(leaveOut(newGuard, 1, Infinity)!, /length is Infinity/);
  assert.equal(leaveOut(newGuard, 1e30), undefined);
});

test("a loss far above the last ones is left out, one that wanders is not", () => {
  const state = after(even);
  assert.ok(Math.abs(state.mean - 4) < 0.02 && Math.abs(Math.sqrt(state.variance) - 0.07) < 0.02);
  assert.equal(leaveOut(state, 4.4), undefined);
  assert.match(leaveOut(state, 5)!, /5\.000, with 4\.0\d\d the mean and 4\.5\d\d the most/);
  assert.equal(leaveOut(after(even.slice(0, 19)), 5), undefined); // too few to tell
  assert.equal(leaveOut(after(even.map((loss, i) => loss + (i % 2))), 6), undefined); // uneven ones
});

test("what is left out is counted, and does not move the mean", () => {
  const state = after(even);
  const later = afterLeftOut(afterLeftOut(state));
  assert.deepEqual(later, { ...state, leftOut: 2, leftOutInARow: 2 });
  assert.equal(afterApplied(later, 4).leftOutInARow, 0);
  assert.equal(afterApplied(later, 4).leftOut, 2);
});
