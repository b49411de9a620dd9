import assert from "node:assert/strict";
import { test } from "node:test";
import { createPacedText, type Pace } from "./paced-text.ts";

/** Time that goes on by hand: frames come every 16 ms, showing takes `showMs`. */
function handTime(): Pace & { advance: (ms: number) => void; spend: (ms: number) => void } {
  let time = 0;
  let waiting: { at: number; run: () => void }[] = [];
  const at = (when: number, run: () => void): (() => void) => {
    const entry = { at: when, run };
    waiting.push(entry);
    return () => {
      waiting = waiting.filter((one) => one !== entry);
    };
  };
  return {
    now: () => time,
    frame: (run) => at((Math.floor(time / 16) + 1) * 16, run),
    after: (run, ms) => at(time + ms, run),
    spend: (ms) => {
      time += ms;
    },
    advance(ms) {
      const end = time + ms;
      for (;;) {
        const next = waiting.sort((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > end) break;
        waiting.shift();
        time = Math.max(time, next.at);
        next.run();
      }
      time = Math.max(time, end);
    },
  };
}

test("pieces that come within a frame are shown together", () => {
  const shown: string[] = [];
  const time = handTime();
  const text = createPacedText("a", (now) => shown.push(now), time);
  for (const piece of ["b", "c", "d"]) text.add(piece);
  assert.deepEqual(shown, []);
  time.advance(16);
  assert.deepEqual(shown, ["abcd"]);
});

test("quick showing goes on every frame, slow showing rests twice as long as it took", () => {
  const shows = (showMs: number): number => {
    let count = 0;
    const time = handTime();
    const show = (): void => {
      count += 1;
      time.spend(showMs);
    };
    const text = createPacedText("", show, time);
    while (time.now() < 3000) {
      text.add("x");
      time.advance(4);
    }
    return count;
  };
  assert.ok(shows(2) >= 150, `${shows(2)} of 187 frames`);
  assert.ok(shows(100) <= 10, `${shows(100)} times 100 ms in 3000`);
});

test("after cancelling nothing more is shown", () => {
  const shown: string[] = [];
  const time = handTime();
  const text = createPacedText("", (now) => shown.push(now), time);
  text.add("a");
  text.cancel();
  time.advance(2000);
  assert.deepEqual(shown, []);
});

test("a page without frames is shown its text all the same", () => {
  const shown: string[] = [];
  const time = handTime();
  const text = createPacedText("", (now) => shown.push(now), { ...time, frame: () => () => undefined });
  text.add("a");
  time.advance(600);
  assert.deepEqual(shown, ["a"]);
});
