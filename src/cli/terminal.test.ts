import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, duration, harmless, tabulate } from "./terminal.ts";

test("sizes have three digits at most and decimal units", () => {
  const sizes = [0, 999, 1000, 9949, 9950, 999_499, 999_500, 1_117_320_768, 5e15];
  const told = ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.1 GB", "5000 TB"];
  assert.deepEqual(sizes.map(bytes), told);
});

test("times are told in the unit that a person would use", () => {
  const times = [0.4, 99, 100, 1234, 59_400, 83_000, 3_600_000];
  assert.deepEqual(times.map(duration), ["0 ms", "99 ms", "100 ms", "1.2 s", "59 s", "1 min 23 s", "1 h 0 min"]);
});

test("tables align by columns, wide characters and colours included", () => {
  const table = tabulate([
    ["NAME", "SIZE"],
    ["千问", "1 GB"],
    ["\x1b[31mred\x1b[39m", "2 GB"],
  ]);
  assert.equal(table, "NAME  SIZE\n千问  1 GB\n\x1b[31mred\x1b[39m   2 GB");
  assert.equal(tabulate([]), "");
});

test("escape codes of a model's making lose their power, line breaks and colours stay", () => {
  assert.equal(harmless("a\r\nb\tc"), "a\nb\tc");
  assert.equal(harmless("\x1b[31mred\x1b[0m"), "\x1b[31mred\x1b[0m");
  assert.equal(harmless("\x1b]0;title\x07"), "\ufffd]0;title\ufffd");
  assert.equal(harmless("\x1b[2J\u009b2J\b"), "\ufffd[2J\ufffd2J\ufffd");
});
