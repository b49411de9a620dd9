import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { columns } from "./layout.ts";
import { shortNumber, statusLine, trainView } from "./train-view.ts";

const stream = new PassThrough({ encoding: "utf8" }) as unknown as NodeJS.WriteStream & PassThrough;
const step = (n: number) => ({ type: "step", step: n, loss: 4.25, norm: 1, rate: 1, tokens: 8192, ms: 1600 }) as const;

test("a line tells step, loss, speed, share of the peak and time left, within 80 columns", () => {
  const line = (n: number, steps: number, peak?: number) =>
    stripVTControlCharacters(statusLine({ steps, flopsPerToken: 83.4e6, peak }, [step(n - 1), step(n)], stream));
  assert.match(
    line(30, 120, 1e12),
    /^30\/120 ━+ loss 4\.250 {2}5\.1 k tok\/s {2}427 GFLOP\/s \(43 %\) {2}2 min 24 s left$/,
  );
  assert.match(line(120, 120), /427 GFLOP\/s {2}done$/);
  for (const steps of [2, 1234, 12_345_678]) assert.ok(columns(line(2, steps, 1e12)) < 80);
});

test("numbers are short", () => {
  assert.deepEqual([7, 999, 1000, 5120, 123_456, 4.27e11].map(shortNumber), [
    "7 ",
    "999 ",
    "1.0 k",
    "5.1 k",
    "123 k",
    "427 G",
  ]);
});

test("without a terminal a line comes now and then, and at the end", () => {
  const { report } = trainView({ steps: 9, flopsPerToken: 1, peak: undefined }, stream);
  for (let n = 1; n <= 9; n++) report(step(n));
  report({ type: "sample", step: 9, prompt: "Once", text: " upon\n\u001b[2Ja time" });
  const lines = (stream.read() as string).split("\n").slice(0, -1);
  assert.equal(lines.length, 3);
  assert.match(lines[2], /^step 9: Once upon ⏎ .\[2Ja time$/);
});
