// When a thread is left out, when it is tried again: runs of made-up lengths.
import assert from "node:assert/strict";
import { it } from "node:test";
import { ThreadGovernor } from "./thread-governor.ts";

/** Runs of 10 ms for `ms`, of whose time every thread but one waits the share that `waits` gives; returns the end. */
function runFor(governor: ThreadGovernor, from: number, ms: number, waits: (active: number) => number): number {
  let now = from;
  while (now < from + ms) {
    const { active } = governor;
    governor.ran(now, now + 10, 10 * waits(active) * Math.max(1, active - 1));
    now += 10;
  }
  return now;
}

it("lets all threads run while they wait for less than 30 % of the time", () => {
  const governor = new ThreadGovernor(4);
  runFor(governor, 0, 60_000, () => 0.29);
  assert.equal(governor.active, 4);
});

it("leaves one out after a second of waiting, not before", () => {
  const governor = new ThreadGovernor(2);
  const now = runFor(governor, 0, 990, () => 0.5);
  assert.equal(governor.active, 2);
  runFor(governor, now, 20, () => 0.5);
  assert.equal(governor.active, 1);
});

it("tries all threads again, ever more rarely while that fails, at once again when the other process is gone", () => {
  const governor = new ThreadGovernor(2);
  const crowded = (active: number): number => (active === 2 ? 0.6 : 0);
  let now = 0;
  let tried = 0; // time with two threads
  const tries = [...Array(20).keys()].map(() => {
    const before = governor.active;
    now = runFor(governor, now, 10_000, (active) => {
      if (active === 2) tried += 10;
      return crowded(active);
    });
    return before;
  });
  assert.ok(tries.includes(1));
  assert.ok(tried < 0.05 * now && tried >= 3000, `${tried} ms of ${now} with two threads`);
  now = runFor(governor, now, 70_000, () => 0);
  assert.equal(governor.active, 2);
  now = runFor(governor, now, 1010, crowded);
  assert.equal(governor.active, 1);
  runFor(governor, now, 4100, () => 0); // the rest is short again
  assert.equal(governor.active, 2);
});

it("goes down one by one, to one thread and no further", () => {
  const governor = new ThreadGovernor(3);
  runFor(governor, 0, 2100, () => 0.9);
  assert.equal(governor.active, 1);
  runFor(governor, 2100, 1500, () => 0.9);
  assert.equal(governor.active, 1);
});
