import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunLine } from "../../store/run-lines.ts";
import type { RunDetails } from "../../store/run-reader.ts";
import { chart, short, thinned, ticks } from "./chart.ts";
import { html } from "./html.ts";
import { runReport } from "./run-report.ts";

const run: RunDetails = {
  facts: {
    version: 1,
    name: "a<b",
    stage: "pretrain",
    startedAt: "2026-01-01T00:00:00.000Z",
    code: { version: "0.1.0", commit: "0123abc" },
    dataHash: "feed",
    parameters: 1_234_567,
    steps: 3,
    executor: "cpu",
    tier: "wasm",
    precision: "f32",
    machine: { cpu: "Some processor", cores: 2, os: "linux", architecture: "x64", memoryTotalBytes: 8e9 },
  },
  state: "done",
  step: 3,
  loss: 2.5,
  validation: 2.25,
  tokensPerSecond: 1000,
  tokens: 3000,
  trainedMs: 3000,
  leftMs: null,
  changedAt: 0,
  recipe: { stage: "pretrain", data: "</pre><script>" },
  data: {
    total: {
      read: 9,
      exactDuplicates: 1,
      nearDuplicates: 0,
      train: { documents: 7, characters: 70, bytes: 70 },
      validation: { documents: 1, characters: 10, bytes: 10 },
    },
    sources: [{ path: "/texts.txt", bytes: 100, sha256: "cafe", licence: "CC0-1.0" }],
  },
  checkpoints: [{ step: 3, model: "runs/a:step-3", path: "/c", savedAt: 0 }],
};
const step = (at: number): RunLine => ({ type: "step", step: at, loss: 4 - at, norm: 1, rate: 1, tokens: 9, ms: 3 });
const lines: RunLine[] = [
  step(1),
  { type: "sample", step: 1, prompt: "Early", text: " words", reward: 0.1 },
  step(2),
  { type: "left-out", step: 2, loss: "NaN", norm: 1, reason: "its loss is no number" },
  step(3),
  { type: "validation", step: 3, tokens: 9, nats_per_token: 2.25, perplexity: 9.49, bits_per_byte: 1.5 },
  { type: "probes", step: 3, right: 3, questions: 4, nats_per_token: 1 },
  {
    type: "sample",
    step: 3,
    prompt: "Late",
    text: " it saw <b>the moon",
    copied: { text: "the moon", characters: 8, occurrences: 2, from: "/texts.txt:4" },
  },
];
const card = runReport({ run, lines, at: new Date("2026-01-02T00:00:00Z") });

test("tells curves, samples, what was copied, recipe, data, machine and code", () => {
  for (const part of [
    "a&lt;b",
    "2.2500",
    "1.5000",
    "3/4",
    "0123abc",
    "Some processor",
    "CC0-1.0",
    "cafe",
    "feed",
    "After step 3",
    "After step 1",
    "1 steps were left out",
    "<mark>the moon</mark>",
    "/texts.txt:4",
  ]) {
    assert.ok(card.includes(part), part);
  }
  assert.equal(card.match(/<svg/g)?.length, 5);
});

test("draws what a stage measures, held out too", () => {
  const rewarded = [1, 2].map((at) => ({ ...step(at), measures: { reward: at / 4 } }) as RunLine);
  const look: RunLine = { type: "validation", step: 2, elements: 3, loss: -0.5, measures: { reward: 0.5 } };
  const text = runReport({ run, lines: [...rewarded, look, step(3)], at: new Date(0) });
  const [, drawn] = /<b>reward<\/b>(.*?)<\/figure>/s.exec(text)!;
  assert.equal(drawn.match(/<path/g)?.length, 3);
  assert.equal(drawn.match(/<circle/g)?.length, 1);
  assert.doesNotMatch(card, /<b>reward<\/b>/);
});

test("carries its own style", () => {
  const [, style] = /<style>(.*)<\/style>/s.exec(card)!;
  assert.match(style, /--paper: light-dark\(.*\.said \{ white-space: pre-wrap; \}/s);
});

test("loads nothing, and what texts say is text", () => {
  assert.doesNotMatch(card, /https?:|<script|<link|<img|url\(|@import/);
  assert.match(card, /&lt;\/pre&gt;&lt;script&gt;/);
  assert.match(card, /&lt;b&gt;<mark>/);
});

test("a run that has hardly begun has a card too", () => {
  const begun: RunDetails = { ...run, data: null, checkpoints: [], loss: null, validation: null, trainedMs: 0 };
  const text = runReport({ run: begun, lines: [], at: new Date(0) });
  assert.match(text, /This run took none/);
  assert.match(text, /kept no card/);
});

test("best and worst are told where samples have rewards", () => {
  const rewarded = Array.from({ length: 8 }, (_, i): RunLine => ({
    type: "sample",
    step: 9,
    prompt: "",
    text: `text ${i}`,
    reward: i / 10,
  }));
  const text = runReport({ run, lines: rewarded, at: new Date(0) });
  const [, best, worst] = /<h3>Best<\/h3>(.*)<h3>Worst<\/h3>(.*?)<div class="columns"/s.exec(text)!;
  assert.match(best, /text 7.*text 6.*text 5/s);
  assert.match(worst, /text 2.*text 1.*text 0/s);
});

test("templates escape all but their own HTML", () => {
  assert.equal(
    html`<i title="${'"'}">${["<", html`<b>${"&"}</b>`, undefined, 3]}</i>`.text,
    '<i title="&quot;">&lt;<b>&amp;</b>3</i>',
  );
});

test("charts have round ticks, and no more points than can be told apart", () => {
  assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(
    ticks(2.31, 2.74, 5).map((tick) => tick.toFixed(1)),
    ["2.4", "2.5", "2.6", "2.7"],
  );
  assert.deepEqual(ticks(3, 3, 5), [3]);
  assert.deepEqual([950, 12_500, 3e6, 0.25, 0].map(short), ["950", "12.5k", "3M", "0.25", "0"]);
  assert.deepEqual([4e-5, -0.00012345].map(short), ["4e-5", "-1.234e-4"]);
  const x = Array.from({ length: 1500 }, (_, i) => i);
  const few = thinned({ x, y: x });
  assert.equal(few.x.length, 500);
  assert.deepEqual([few.x[0], few.y[0], few.x.at(-1)], [2, 1, 1499]);
  assert.throws(() => chart("nothing", [], ""), RangeError);
});
