// The ladder as a picture: one SVG file, bits a weight across, the divergence from the original upwards on a logarithmic
// scale, a point a type. Pure text; colours follow the reader's dark or light setting.
import type { Ladder, Rung } from "./ladder.ts";

const WIDTH = 720;
const HEIGHT = 440;
const MARGIN = { left: 76, right: 40, top: 56, bottom: 60 };
/** Divergences below this are shown as this: rounding of the arithmetic itself is as large. */
const LEAST = 1e-6;

export function ladderPlot({ model, rungs, perplexity_original: original, tokens }: Ladder, title = model): string {
  const x = scaleOf(0, Math.ceil(Math.max(...rungs.map((rung) => rung.bits_per_weight)) / 4) * 4, [
    MARGIN.left,
    WIDTH - MARGIN.right,
  ]);
  const heights = rungs.map(({ kl_divergence }) => Math.log10(Math.max(LEAST, kl_divergence)));
  const [low, high] = [Math.floor(Math.min(...heights)), Math.ceil(Math.max(...heights) + 0.01)];
  const y = scaleOf(low, high, [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const points = rungs.map((rung, i) => ({ rung, at: [x(rung.bits_per_weight), y(heights[i])] as const }));
  const across = Array.from({ length: 9 }, (_, i) => 4 * i).filter((bits) => x(bits) <= WIDTH - MARGIN.right + 0.5);
  const upwards = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13">`,
    "<style>:root{--ink:#222;--faint:#ccc;--paper:#fff;--mark:#b3261e}@media(prefers-color-scheme:dark){:root{--ink:#ddd;--faint:#444;--paper:#161616;--mark:#ff8a80}}</style>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="var(--paper)"/>`,
    text(MARGIN.left, 24, escape(title), 'font-size="16" font-weight="600"'),
    text(
      MARGIN.left,
      42,
      `perplexity of the original ${original.toPrecision(4)}, over ${tokens} tokens`,
      'opacity="0.75"',
    ),
    ...across.map(
      (bits) =>
        `${line(x(bits), MARGIN.top, x(bits), HEIGHT - MARGIN.bottom)}${text(x(bits), HEIGHT - 38, String(bits), 'text-anchor="middle"')}`,
    ),
    ...upwards.map(
      (power) =>
        `${line(MARGIN.left, y(power), WIDTH - MARGIN.right, y(power))}${text(MARGIN.left - 8, y(power) + 4, powerOf(power), 'text-anchor="end"')}`,
    ),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 14, "bits a weight", 'text-anchor="middle"'),
    `<text transform="translate(18 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle" fill="var(--ink)">divergence, nats a token</text>`,
    `<polyline fill="none" stroke="var(--mark)" stroke-width="1.5" opacity="0.5" points="${[...points]
      .sort((a, b) => a.at[0] - b.at[0])
      .map(({ at }) => at.map(round).join())
      .join(" ")}"/>`,
    ...points.map(({ rung, at }) => point(rung, at)),
    "</svg>",
    "",
  ].join("\n");
}

const scaleOf =
  (from: number, to: number, [start, end]: readonly [number, number]) =>
  (value: number): number =>
    start + ((value - from) / (to - from)) * (end - start);

const round = (value: number): string => value.toFixed(1);

const line = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="var(--faint)"/>`;

const text = (x: number, y: number, content: string, attributes = ""): string =>
  `<text x="${round(x)}" y="${round(y)}" fill="var(--ink)" ${attributes}>${content}</text>`;

const powerOf = (power: number): string => (power >= 0 ? String(10 ** power) : (10 ** power).toFixed(-power));

function point({ type, bytes, perplexity, tokens_per_second: speed }: Rung, [x, y]: readonly [number, number]): string {
  const facts = `${type}: ${(bytes / 1e6).toFixed(1)} MB, perplexity ${perplexity.toPrecision(4)}, ${speed.toFixed(1)} tokens/s`;
  const label = text(x + 8, y - 6, type, 'font-size="12"');
  return `<g><title>${facts}</title><circle cx="${round(x)}" cy="${round(y)}" r="4" fill="var(--mark)"/>${label}</g>`;
}

const escape = (content: string): string =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
