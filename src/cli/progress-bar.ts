// A progress bar on standard error, where that is a terminal, for what takes longer than a second.
import process from "node:process";
import type { OnProgress, Progress } from "../base/progress.ts";
import { columns, fit } from "./layout.ts";
import { bytes, duration, harmless, paint } from "./terminal.ts";

const DELAY_MS = 1000;
const INTERVAL_MS = 100;
const BAR_COLUMNS = 24;

export interface ProgressBar {
  readonly report: OnProgress;
  /** Removes the bar; another report begins a new one. */
  readonly end: () => void;
}

/** Makes a bar that is silent where standard error is no terminal. */
export function progressBar(stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  let timer: NodeJS.Timeout | undefined;
  let latest: Progress | undefined;
  let first = { label: "", done: 0, atMs: 0 };
  let isShown = false;
  function draw(): void {
    isShown = true;
    stream.write(`\r\x1b[K${barLine(latest!, performance.now() - first.atMs, first.done, stream)}`);
  }
  return {
    report(progress) {
      if (!stream.isTTY) return;
      latest = progress;
      // what was there before (a resumed download) says nothing about speed
      if (progress.label !== first.label) first = { ...progress, atMs: performance.now() };
      // by a timer, so that a bar also appears between two reports that are far apart
      timer ??= setTimeout(() => {
        draw();
        timer = setInterval(draw, INTERVAL_MS).unref();
      }, DELAY_MS).unref();
    },
    end() {
      clearTimeout(timer);
      timer = undefined;
      first = { label: "", done: 0, atMs: 0 };
      if (isShown) stream.write("\r\x1b[K");
      isShown = false;
    },
  };
}

/** The bar as text, never wider than the terminal. */
export function barLine(
  { label, done, total, unit }: Progress,
  elapsedMs: number,
  doneAtStart: number,
  stream: NodeJS.WriteStream,
): string {
  const count = (amount: number): string => (unit === "bytes" ? bytes(amount) : String(amount));
  const of = total === undefined ? "" : ` of ${count(total)}`;
  const left =
    total !== undefined && done > doneAtStart && done < total
      ? `, ${duration((elapsedMs * (total - done)) / (done - doneAtStart))} left`
      : "";
  const figures = `${count(done)}${of}${unit === "bytes" ? "" : ` ${unit}`}${left}`;
  const width = (stream.columns || 80) - 1; // the last column would begin a new row
  const plain = harmless(label);
  const room = width - columns(plain) - figures.length - 2;
  if (room < 4) return fit(`${plain} ${figures}`, width);
  const whole = Math.min(BAR_COLUMNS, room);
  const filled = total === undefined || total === 0 ? 0 : Math.floor((whole * Math.min(done, total)) / total);
  const bar = paint("accent", "━".repeat(filled), stream) + paint("faint", "━".repeat(whole - filled), stream);
  return `${plain} ${bar} ${paint("faint", figures, stream)}`;
}
