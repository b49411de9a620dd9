import assert from "node:assert/strict";
import { test } from "node:test";
import { strftime } from "./template-time.ts";

const MOMENT = new Date(2026, 0, 5, 15, 4, 9, 7); // a Monday, local time

test("writes dates as Python's C locale does", () => {
  assert.equal(strftime(MOMENT, "%d %b %Y, %A %B %a"), "05 Jan 2026, Monday January Mon");
  assert.equal(strftime(MOMENT, "%H:%M:%S %I %p %y %j %e %w %f %%"), "15:04:09 03 PM 26 005  5 1 007000 %");
});

test("a dash drops the leading zeros", () => {
  assert.equal(strftime(MOMENT, "%-d %-m %-I %-j"), "5 1 3 5");
});

test("a directive it does not know is an error, not silence", () => {
  assert.throws(() => strftime(MOMENT, "%Q"), /%Q/);
});
