import assert from "node:assert/strict";
import { test } from "node:test";
import { ageOf, formatBytes, formatDecimal, formatDuration, formatInteger, formatParameters } from "./format.ts";

test("bytes are given in the unit that keeps them under a thousand", () => {
  const sizes = [0, 999, 1000, 1_050_000, 986_000_000, 999_600_000, 1_117_000_000];
  assert.deepEqual(
    sizes.map((bytes) => formatBytes(bytes, "en").replace("\u202f", " ")),
    ["0 B", "999 B", "1 kB", "1.1 MB", "986 MB", "1.0 GB", "1.1 GB"],
  );
});

test("times are milliseconds below a second", () => {
  const told = [3.2, 254, 994, 999, 1234].map((ms) => formatDuration(ms, "en").replace("\u202f", " "));
  assert.deepEqual(told, ["3 ms", "250 ms", "990 ms", "1 s", "1.2 s"]);
});

test("parameters read as in model names", () => {
  assert.deepEqual([260_032, 268_098_176, 494_032_768, 1_543_714_304, 70e9].map(formatParameters), [
    "260K",
    "268M",
    "494M",
    "1.5B",
    "70B",
  ]);
});

test("numbers keep the digits that say something", () => {
  assert.deepEqual(
    [0.4213, 12.34, 208.4, 5].map((value) => formatDecimal(value, "en")),
    ["0.421", "12.3", "208", "5"],
  );
  assert.equal(formatInteger(1204567, "zh"), "1,204,567");
});

test("ages follow the calendar, not the clock", () => {
  const now = new Date(2026, 10, 22, 0, 30).getTime();
  const at = (day: number, hour: number): string => ageOf(new Date(2026, 10, day, hour).getTime(), now);
  assert.deepEqual(
    [at(22, 0), at(21, 23), at(21, 0), at(20, 23), at(15, 1), at(14, 1)],
    ["today", "yesterday", "yesterday", "lastWeek", "lastWeek", "earlier"],
  );
});
