// Holds the colours of tokens.css to WCAG 2: text 4.5 on every ground it stands on, marks 3, in both themes.
// OKLCH to linear sRGB by Björn Ottosson's matrices (bottosson.github.io/posts/oklab).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

type Colour = readonly [lightness: number, chroma: number, hue: number];

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

function readTokens(): Map<string, readonly [light: Colour, dark: Colour]> {
  const colour = String.raw`oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)`;
  const pattern = new RegExp(String.raw`--([\w-]+): light-dark\(${colour}, ${colour}\);`, "g");
  const tokens = new Map<string, readonly [Colour, Colour]>();
  for (const [, name, ...numbers] of css.matchAll(pattern)) {
    const [l1, c1, h1, l2, c2, h2] = numbers.map(Number);
    tokens.set(name, [
      [l1 / 100, c1, h1],
      [l2 / 100, c2, h2],
    ]);
  }
  return tokens;
}

const cut = (channel: number): number => Math.min(1, Math.max(0, channel));

/** Relative luminance; channels outside sRGB are cut, as a screen does. */
function luminance([lightness, chroma, hue]: Colour): number {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const red = cut(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = cut(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = cut(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: Colour, other: Colour): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ["paper", "shade", "sheet", "hover"];
const CODE = ["ink", "code-word", "code-text", "code-number", "code-name", "code-remark"];
/** [what stands, on which grounds, how much contrast] */
const RULES: readonly (readonly [string, readonly string[], number])[] = [
  ["ink", [...GROUNDS, "wash", "selection", "code"], 4.5],
  ["faint", [...GROUNDS, "wash", "code"], 4.5],
  ["cinnabar", [...GROUNDS, "wash"], 4.5],
  ["warn", ["sheet"], 4.5],
  ["on-cinnabar", ["cinnabar-ground"], 4.5],
  ["cinnabar-ground", ["paper", "shade", "sheet"], 3],
  ["edge", ["paper", "shade", "sheet"], 3],
  ...[1, 2, 3, 4, 5, 6].map((slot) => [`series-${slot}`, ["paper", "sheet"], 3] as const),
  ...CODE.map((name) => [name, ["code"], 4.5] as const),
];

for (const [index, theme] of (["light", "dark"] as const).entries()) {
  test(`${theme}: text has a contrast of 4.5 and marks of 3 on every ground they stand on`, () => {
    const tokens = readTokens();
    const low: string[] = [];
    for (const [name, grounds, least] of RULES) {
      for (const ground of grounds) {
        const [one, other] = [tokens.get(name), tokens.get(ground)];
        assert.ok(one !== undefined && other !== undefined, `${name} or ${ground} is no token`);
        const ratio = contrast(one[index], other[index]);
        if (ratio < least) low.push(`${name} on ${ground}: ${ratio.toFixed(2)} < ${least}`);
      }
    }
    assert.deepEqual(low, []);
  });
}

test("luminance is right where it is known: black, white, and sRGB red", () => {
  assert.ok(Math.abs(luminance([0, 0, 0])) < 1e-6);
  assert.ok(Math.abs(luminance([1, 0, 0]) - 1) < 1e-4);
  assert.ok(Math.abs(luminance([0.627955, 0.257683, 29.2339]) - 0.2126) < 1e-3);
});

test("every colour that a style sheet names is a token", () => {
  const names = new Set([...css.matchAll(/--([\w-]+):/g)].map((match) => match[1]));
  const sheets = [
    "base",
    "layout",
    "sidebar",
    "parts",
    "sheet",
    "message",
    "markdown",
    "code",
    "composer",
    "instrument",
    "narrow",
    "runs",
    "charts",
  ];
  for (const sheet of sheets) {
    const text = readFileSync(new URL(`./${sheet}.css`, import.meta.url), "utf8");
    const own = new Set([...text.matchAll(/--([\w-]+):/g)].map((match) => match[1]));
    for (const [, name] of text.matchAll(/var\(--([\w-]+)/g))
      assert.ok(names.has(name) || own.has(name), `${sheet}: --${name}`);
    assert.doesNotMatch(text, /#[0-9a-f]{3,8}\b|\brgba?\(/i, sheet);
  }
});
