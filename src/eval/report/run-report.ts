// The report card of a run: one HTML file that holds everything (curves, samples, what was copied, recipe, data, machine,
// code) and loads nothing. Pure: what a run's folder says goes in, text comes out. Not here: reading it (store/run-reader.ts).
import { smooth } from "../../base/smooth.ts";
import { type RunLine, type RunLineOf, type TextValidation, heldOutLoss } from "../../store/run-lines.ts";
import type { RunDetails } from "../../store/run-reader.ts";
import { type ChartLine, chart, short } from "./chart.ts";
import { Html, html } from "./html.ts";
import { dataPart } from "./data-part.ts";
import { samplesPart } from "./samples-part.ts";
import { STYLE } from "./style.ts";

/** Weight of the past in the smoothed loss, as the page begins with. */
const SMOOTHING = 0.9;

export interface ReportInput {
  readonly run: RunDetails;
  readonly lines: readonly RunLine[];
  /** When the card is made. */
  readonly at: Date;
}

/** The card as the text of an HTML file. */
export function runReport({ run, lines, at }: ReportInput): string {
  const { facts, state, recipe, data } = run;
  const of = <Type extends RunLine["type"]>(type: Type): RunLineOf<Type>[] =>
    lines.filter((line): line is RunLineOf<Type> => line.type === type);
  const steps = of("step");
  const validations = of("validation");
  const leftOut = of("left-out");
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${facts.name} · Liang 量</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <h1>${facts.name}</h1>
        <p class="under">
          ${facts.stage}, ${state} after ${run.step} of ${facts.steps} steps; begun
          ${minute(new Date(facts.startedAt))}, this card made ${minute(at)} UTC
        </p>
        ${tiles(run, of("validation").at(-1), of("probes").at(-1))}
        <h2>Curves</h2>
        <div class="charts">${charts(steps, validations, of("probes"))}</div>
        ${leftOut.length === 0 ? undefined : html`<p>${leftOut.length} steps were left out, the last one ${leftOut.at(-1)!.step}, because ${leftOut.at(-1)!.reason}.</p>`}
        ${samplesPart(of("sample"))}
        <div class="columns">
          <section>
            <h2>Run</h2>
            ${definitions(runFacts(run))}
          </section>
          <section>
            <h2>Data</h2>
            ${dataPart(data, facts.dataHash)}
          </section>
        </div>
        <h2>Recipe</h2>
        <pre>${JSON.stringify(recipe, null, 2)}</pre>
      </body>
    </html> `;
  return page.text;
}

const definitions = (facts: readonly (readonly [name: string, value: string | Html])[]): Html =>
  html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;

function tiles(
  run: RunDetails,
  look: RunLineOf<"validation"> | undefined,
  probes: RunLineOf<"probes"> | undefined,
): Html {
  const ofText: Partial<TextValidation> = look === undefined || "loss" in look ? {} : look;
  const found: (readonly [string, string | undefined])[] = [
    ["loss held out", look && heldOutLoss(look).toFixed(4)],
    ["perplexity", ofText.perplexity === undefined ? undefined : short(ofText.perplexity)],
    ["bits a byte", ofText.bits_per_byte?.toFixed(4)],
    ...Object.entries(look !== undefined && "loss" in look ? look.measures : {}).map(
      ([name, value]) => [name, String(Number(value.toPrecision(4)))] as const,
    ),
    ["training loss", run.loss?.toFixed(4)],
    ["probes right", probes && `${probes.right}/${probes.questions}`],
    ["weights", short(run.facts.parameters)],
    ["tokens read", short(run.tokens)],
    ["time of steps", time(run.trainedMs)],
    ["tokens a second", run.trainedMs > 0 ? short((1000 * run.tokens) / run.trainedMs) : undefined],
  ];
  return html`<dl class="tiles">
    ${found.map(([name, value]) =>
      value === undefined
        ? undefined
        : html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
    )}
  </dl>`;
}

/** "2026-11-22 20:15". */
const minute = (at: Date): string => at.toISOString().slice(0, 16).replace("T", " ");

/** "3.2 hours": two digits of the largest unit that fits. */
function time(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  const [value, unit] =
    seconds < 100 ? [seconds, "seconds"] : seconds < 6000 ? [seconds / 60, "minutes"] : [seconds / 3600, "hours"];
  return `${Number(value.toPrecision(2))} ${unit}`;
}

function charts(
  steps: readonly RunLineOf<"step">[],
  validations: readonly RunLineOf<"validation">[],
  probes: readonly RunLineOf<"probes">[],
): Html[] {
  const x = steps.map(({ step }) => step);
  const line = (name: string, y: readonly number[], looks: ChartLine["looks"] = "line"): ChartLine => ({
    name,
    x,
    y,
    looks,
  });
  const dots = <Row extends { readonly step: number }>(
    name: string,
    rows: readonly Row[],
    value: (row: Row) => number,
  ): ChartLine => ({ name, x: rows.map(({ step }) => step), y: rows.map(value), looks: "dots" });
  const losses = steps.map(({ loss }) => loss);
  const measured = [...new Set(steps.flatMap(({ measures }) => Object.keys(measures ?? {})))];
  const all: (readonly [title: string, unit: string, lines: readonly ChartLine[]])[] = [
    [
      "Loss",
      "over steps",
      [
        line("each step", losses, "faint"),
        line("training, smoothed", smooth(losses, SMOOTHING)),
        dots("held out", validations, heldOutLoss),
      ],
    ],
    [
      "Learning rate",
      "share of its peak",
      [
        line(
          "rate",
          steps.map(({ rate }) => rate),
        ),
      ],
    ],
    [
      "Gradient norm",
      "before clipping",
      [
        line(
          "norm",
          steps.map(({ norm }) => norm),
        ),
      ],
    ],
    [
      "Tokens a second",
      "steps alone",
      [
        line(
          "speed",
          smooth(
            steps.map(({ tokens, ms }) => (1000 * tokens) / ms),
            SMOOTHING,
          ),
        ),
      ],
    ],
    [
      "Probes",
      "share of questions answered right",
      [dots("right", probes, ({ right, questions }) => right / questions)],
    ],
    ...measured.map((name) => [name, "of the stage", measureLines(name)] as const),
  ];
  return all.flatMap(([title, unit, lines], i) => {
    const drawn = lines.filter(({ x: places }) => places.length > 0);
    return drawn.length === 0 ? [] : [chart(title, drawn, unit, i === 0 ? "wide" : "half")];
  });

  /** A step that lacks the measure has no place in its lines. */
  function measureLines(name: string): ChartLine[] {
    const rows = steps.filter(({ measures }) => measures?.[name] !== undefined);
    const places = rows.map(({ step }) => step);
    const values = rows.map(({ measures }) => measures![name]);
    const looked = validations.flatMap((look) =>
      "measures" in look && look.measures[name] !== undefined ? [{ step: look.step, value: look.measures[name] }] : [],
    );
    return [
      { name: "each step", x: places, y: values, looks: "faint" },
      { name: "smoothed", x: places, y: smooth(values, SMOOTHING), looks: "line" },
      dots("held out", looked, ({ value }) => value),
    ];
  }
}

function runFacts({ facts, checkpoints }: RunDetails): [string, string][] {
  const { code, executor, tier, precision, machine, parameters } = facts;
  const { length } = checkpoints;
  return [
    ["weights", String(parameters)],
    ["program", `Liang ${code.version}`],
    ...(code.commit === undefined ? [] : [["commit", code.commit] satisfies [string, string]]),
    ["computed by", `${executor}, ${tier}, ${precision}`],
    ...(machine === undefined
      ? []
      : ([
          ["processor", `${machine.cpu}, ${machine.cores} threads at once`],
          ["system", `${machine.os} ${machine.architecture}`],
          ["memory", `${(machine.memoryTotalBytes / 1e9).toFixed(1)} GB`],
        ] satisfies [string, string][])),
    ["checkpoints kept", length === 0 ? "none" : checkpoints.map(({ step }) => `step ${step}`).join(", ")],
  ];
}
