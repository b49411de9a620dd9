// A chart as inline SVG: lines over one x axis, with round ticks. Colours are classes, so that the page's theme gives them.
// Pure. Not here: which lines (run-report.ts).
import { type Html, html } from "./html.ts";

export interface ChartLine {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** "dots": few values, each one marked. */
  readonly looks: "line" | "faint" | "dots";
}

/** Units of each chart; they are shown as wide as there is room, and the style gives letters their size in either. */
const SIZES = { wide: [620, 200], half: [430, 190] } as const;
const MARGIN = { left: 52, right: 12, top: 12, bottom: 26 };
/** More points than columns of pixels say nothing more: each is then the mean of several. */
const POINTS_MAX = 600;

/** Throws RangeError for no finite value at all. */
export function chart(
  title: string,
  lines: readonly ChartLine[],
  unit: string,
  size: keyof typeof SIZES = "wide",
): Html {
  const [width, height] = SIZES[size];
  const drawn = lines.map((line) => ({ ...line, ...thinned(line) }));
  const [xLow, xHigh] = rangeOf(drawn.flatMap(({ x }) => x));
  const [yLow, yHigh] = padded(rangeOf(drawn.flatMap(({ y }) => y)));
  const across = (x: number): number =>
    MARGIN.left + ((x - xLow) / (xHigh - xLow || 1)) * (width - MARGIN.left - MARGIN.right);
  const down = (y: number): number =>
    height - MARGIN.bottom - ((y - yLow) / (yHigh - yLow)) * (height - MARGIN.top - MARGIN.bottom);
  const at = (value: number): string => value.toFixed(1);
  const path = ({ x, y }: { x: readonly number[]; y: readonly number[] }): string =>
    x.map((value, i) => `${i === 0 ? "M" : "L"}${at(across(value))} ${at(down(y[i]))}`).join("");
  const grid = ticks(yLow, yHigh, 5).map(
    (y) =>
      html`<line
          class="grid"
          x1="${MARGIN.left}"
          x2="${width - MARGIN.right}"
          y1="${at(down(y))}"
          y2="${at(down(y))}"
        /><text x="${MARGIN.left - 8}" y="${at(down(y) + 4)}" text-anchor="end">${short(y)}</text>`,
  );
  const below = ticks(xLow, xHigh, size === "wide" ? 7 : 4).map(
    (x) => html`<text x="${at(across(x))}" y="${height - 8}" text-anchor="middle">${short(x)}</text>`,
  );
  const marks = drawn.map((line) => [
    html`<path class="${line.looks}" d="${path(line)}" />`,
    line.looks === "dots"
      ? line.x.map((x, i) => html`<circle cx="${at(across(x))}" cy="${at(down(line.y[i]))}" r="3" />`)
      : undefined,
  ]);
  const named = lines.filter(({ looks }) => looks !== "faint");
  return html`<figure>
    <figcaption>
      <b>${title}</b> ${unit}
      ${named.length > 1 ? named.map(({ name, looks }) => html`<span class="key ${looks}">${name}</span>`) : undefined}
    </figcaption>
    <svg class="${size}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
      ${grid}${below}${marks.flat()}
    </svg>
  </figure>`;
}

/** Means of equal parts, where there are too many points to be told apart. */
export function thinned({ x, y }: Pick<ChartLine, "x" | "y">): { x: readonly number[]; y: readonly number[] } {
  const each = Math.ceil(x.length / POINTS_MAX);
  if (each <= 1) return { x, y };
  const parts = Array.from(
    { length: Math.ceil(x.length / each) },
    (_, part) => [part * each, (part + 1) * each] as const,
  );
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    x: parts.map(([, to]) => x[Math.min(to, x.length) - 1]),
    y: parts.map(([from, to]) => mean(y.slice(from, to))),
  };
}

function rangeOf(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new RangeError(`A chart has values from ${low} to ${high}, expected finite ones.`);
  }
  return [low, high];
}

function padded([low, high]: [number, number]): [number, number] {
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  return [low >= 0 && low < room ? 0 : low - room, high + room];
}

/** Round numbers between two, about `count` of them: 1, 2 or 5 times a power of ten apart. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const apart = power * [1, 2, 5, 10].find((step) => step * power >= rough)!;
  const first = Math.ceil(low / apart);
  return Array.from({ length: Math.floor(high / apart + 1e-9) - first + 1 }, (_, i) => (first + i) * apart);
}

const UNITS = ["", "k", "M", "G", "T", "P"];

/** 12500 -> "12.5k", 0.00004 -> "4e-5"; at most four digits. */
export function short(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-3) return Number(value.toPrecision(4)).toExponential();
  let [rest, unit] = [value, 0];
  while (Math.abs(rest) >= 999.5 && unit < UNITS.length - 1) [rest, unit] = [rest / 1000, unit + 1];
  return `${Number(rest.toPrecision(4))}${UNITS[unit]}`;
}
