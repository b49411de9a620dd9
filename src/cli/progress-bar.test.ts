import assert from "node:assert/strict";
import { Writable } from "node:stream";
import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { columns } from "./layout.ts";
import { barLine, progressBar } from "./progress-bar.ts";

/** A terminal that keeps what is written. */
function screen(isTTY = true, width = 80): { stream: WriteStream; written: () => string } {
  let text = "";
  const stream = new Writable({
    write(piece: Buffer, _, done) {
      text += piece.toString();
      done();
    },
  });
  const terminal = Object.assign(stream, { isTTY, columns: width, getColorDepth: () => 1 });
  return { stream: terminal as unknown as WriteStream, written: () => text };
}

const half = { label: "download", done: 500, total: 1000, unit: "bytes" } as const;

describe("a progress bar", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "setInterval"] }));
  afterEach(() => mock.timers.reset());

  test("appears after a second, not before, and leaves nothing behind", () => {
    const { stream, written } = screen();
    const bar = progressBar(stream);
    bar.report(half);
    mock.timers.tick(999);
    assert.equal(written(), "");
    mock.timers.tick(1);
    assert.match(stripVTControlCharacters(written()), /^\rdownload .*500 B of 1\.0 kB/);
    bar.end();
    assert.ok(written().endsWith("\r\x1b[K"));
  });

  test("is silent when it ends within the second, and where there is no terminal", () => {
    const quick = screen();
    const bar = progressBar(quick.stream);
    bar.report(half);
    bar.end();
    const pipe = screen(false);
    progressBar(pipe.stream).report(half);
    mock.timers.tick(5000);
    assert.equal(quick.written() + pipe.written(), "");
  });

  test("tells the time left by the speed of this run, not by what was there before", () => {
    const { stream } = screen();
    const line = barLine({ ...half, done: 600 }, 10_000, 500, stream); // 100 bytes in 10 s: 400 more take 40 s
    assert.match(line, /600 B of 1\.0 kB, 40 s left$/);
    assert.doesNotMatch(barLine(half, 10_000, 500, stream), /left/);
  });

  test("never fills the row, and grows from empty to full", () => {
    for (const width of [20, 40, 80, 200]) {
      const { stream } = screen(true, width);
      for (const label of ["读", "下载模型文件", "a".repeat(90)]) {
        assert.ok(columns(barLine({ ...half, label }, 1000, 0, stream)) < width);
      }
    }
    const { stream } = screen();
    assert.match(barLine({ label: "measuring", done: 0, total: 3, unit: "items" }, 0, 0, stream), /0 of 3 items$/);
  });
});
