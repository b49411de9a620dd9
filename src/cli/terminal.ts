// What the terminal shows: one accent, sizes and times in a few columns, tables. Colour obeys NO_COLOR and pipes.
// Not here: what is said (the commands), bars (progress-bar.ts), columns (layout.ts).
import process from "node:process";
import { styleText } from "node:util";
import { columns } from "./layout.ts";

export type Style = keyof typeof STYLES;
const STYLES = {
  accent: "red",
  faint: "gray",
  strong: "bold",
  // neighbouring things that have no gap between them
  band: ["black", "bgCyan"],
  otherBand: ["black", "bgYellow"],
} as const;

/** Text in a style where `stream` is a terminal with colours. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(STYLES[style], text, { stream, validateStream: true });
}

/** Text that cannot drive a terminal: what models, files and hubs say may hold escape codes. Colours stay. */
export function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/(\x1b\[[\d;]*m)|\r(?=\n)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (found, colour) =>
    colour === undefined ? (found === "\r" ? "" : "\ufffd") : found,
  );
}

/** To a terminal harmless, to a file or pipe byte for byte. */
export function write(text: string, stream: NodeJS.WriteStream = process.stdout): boolean {
  return stream.write(stream.isTTY ? harmless(text) : text);
}

export const out = (text: string): boolean => write(`${text}\n`);
export const note = (text: string): boolean => write(`${text}\n`, process.stderr);
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

/** 83_000 -> "1 min 23 s", 250 -> "250 ms", 3.2 -> "3 ms". */
export function duration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 9950) return `${Number((milliseconds / 1000).toPrecision(2))} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 12345.6 -> "12346", 12.345 -> "12.3", 1.2345 -> "1.2". */
export const figure = (value: number): string =>
  value < 10 ? value.toFixed(1) : value < 100 ? String(Number(value.toPrecision(3))) : String(Math.round(value));

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
