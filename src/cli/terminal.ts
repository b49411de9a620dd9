// What the terminal shows: one accent, bars that finish, sizes and times in a few columns. Colour obeys NO_COLOR and
// pipes; bars go to standard error and only where that is a terminal. Not here: what is said (the commands).
import process from "node:process";
import { stripVTControlCharacters, styleText } from "node:util";
import type { OnProgress, Progress } from "../base/progress.ts";

/** Bars appear only for what takes longer than this. */
const BAR_DELAY_MS = 300;
const BAR_INTERVAL_MS = 80;
const BAR_COLUMNS = 24;

type Style = "accent" | "faint" | "strong";
const STYLES = { accent: "red", faint: "gray", strong: "bold" } as const;

/** Text in a style where `stream` is a terminal with colours. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(STYLES[style], text, { stream, validateStream: true });
}

export const out = (text: string): boolean => process.stdout.write(`${text}\n`);
export const note = (text: string): boolean => process.stderr.write(`${text}\n`);
/** One JSON document and nothing else, as `--json` promises. */
export const outJson = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

/** 1234567 -> "1.2 MB". Decimal units, as disks and hubs count. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Columns a text takes: CJK and full-width characters take two. */
export function columns(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(stripVTControlCharacters(text))) {
    width +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u.test(
        segment,
      )
        ? 2
        : 1;
  }
  return width;
}

/** Pads to a number of columns. */
export const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - columns(text)));

/** Rows in aligned columns; the last one is not padded. */
export function tabulate(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => columns(row[i] ?? ""))));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : pad(cell, widths[i])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function amount(unit: Progress["unit"], count: number): string {
  return unit === "bytes" ? bytes(count) : `${count} ${unit}`;
}

/** A progress bar on standard error, silent where that is no terminal. `end` removes it. */
export function progressBar(): { readonly report: OnProgress; end(): void } {
  const stream = process.stderr;
  const started = performance.now();
  let drawn = 0;
  let shown = false;
  let label: string | undefined;
  let labelStarted = started;
  const report: OnProgress = ({ label: now, done, total, unit }) => {
    if (!stream.isTTY) return;
    const time = performance.now();
    if (now !== label) {
      label = now;
      labelStarted = time;
    } else if (time - drawn < BAR_INTERVAL_MS && done !== total) return;
    if (time - started < BAR_DELAY_MS) return;
    drawn = time;
    shown = true;
    const seconds = (time - labelStarted) / 1000;
    const left = total !== undefined && done > 0 ? `${Math.ceil((seconds * (total - done)) / done)} s left` : "";
    const filled = total === undefined || total === 0 ? 0 : Math.round((BAR_COLUMNS * done) / total);
    const bar = paint("accent", "━".repeat(filled), stream) + paint("faint", "━".repeat(BAR_COLUMNS - filled), stream);
    const figures = `${amount(unit, done)}${total === undefined ? "" : ` of ${amount(unit, total)}`}`;
    stream.write(`\r\x1b[K${now} ${bar} ${paint("faint", `${figures}  ${left}`, stream)}`);
  };
  return {
    report,
    end() {
      if (shown) stream.write("\r\x1b[K");
      shown = false;
    },
  };
}
