// What a person sees of a run: on a terminal one line that changes, and lines for what is worth keeping; else a line every
// few seconds. Within 80 columns. Not here: running it (train.ts).
import process from "node:process";
import type { RunEvent } from "../train/loop.ts";
import { columns, fit } from "./layout.ts";
import { duration, harmless, paint, write } from "./terminal.ts";

export interface ViewFacts {
  readonly steps: number;
  readonly flopsPerToken: number;
  /** Operations a second that the machine does at most; undefined: not known. */
  readonly peak: number | undefined;
}

export interface TrainView {
  readonly report: (event: RunEvent) => void;
  /** Removes the line that changes. */
  readonly end: () => void;
}

const WIDTH = 79; // the last of 80 columns would begin a new row
const BAR_COLUMNS = 16;
const PLAIN_MS = 5000;
/** Measures that are shown beside the loss where there are any. */
const TOLD: readonly string[] = ["accuracy", "reward"];
/** How many of the last steps speed and loss are the mean of. */
const RECENT = 20;

type StepEvent = Extract<RunEvent, { readonly type: "step" }>;

export function trainView(facts: ViewFacts, stream: NodeJS.WriteStream = process.stderr): TrainView {
  const recent: StepEvent[] = [];
  let shownMs = -Infinity;
  let isShown = false;
  const clear = (): void => {
    if (isShown) stream.write("\r\x1b[K");
    isShown = false;
  };
  const keep = (text: string): void => {
    clear();
    write(`${text}\n`, stream);
  };
  return {
    report(event) {
      if (event.type !== "step") {
        const text = eventText(event);
        if (text !== undefined) keep(text);
        return;
      }
      recent.push(event);
      if (recent.length > RECENT) recent.shift();
      const nowMs = performance.now();
      if (stream.isTTY) {
        stream.write(`\r\x1b[K${statusLine(facts, recent, stream)}`);
        isShown = true;
      } else if (nowMs - shownMs > PLAIN_MS || event.step === facts.steps) {
        write(`${statusLine(facts, recent, stream)}\n`, stream);
        shownMs = nowMs;
      }
    },
    end: clear,
  };
}

/** Step, loss, speed, share of the machine's peak, time left; by the last steps' means. */
export function statusLine(
  { steps, flopsPerToken, peak }: ViewFacts,
  recent: readonly StepEvent[],
  stream: NodeJS.WriteStream,
): string {
  const mean = (of: (event: StepEvent) => number): number =>
    recent.reduce((sum, event) => sum + of(event), 0) / recent.length;
  const { step } = recent[recent.length - 1];
  const stepMs = mean(({ ms }) => ms);
  const tokensPerSecond = (1000 * mean(({ tokens }) => tokens)) / stepMs;
  const flops = tokensPerSecond * flopsPerToken;
  const share = peak === undefined ? "" : ` (${Math.round((100 * flops) / peak)} %)`;
  const left = step < steps ? `${duration((steps - step) * stepMs)} left` : "done";
  const parts = [
    `loss ${mean(({ loss }) => loss).toFixed(3)}`,
    ...TOLD.filter((name) => recent.every(({ measures }) => measures?.[name] !== undefined)).map(
      (name) => `${name} ${mean(({ measures }) => measures![name]).toFixed(2)}`,
    ),
    `${shortNumber(tokensPerSecond)} tok/s`,
    `${shortNumber(flops)}FLOP/s${share}`,
    left,
  ];
  const [head, tail] = [`${step}/${steps}`, parts.join("  ")];
  const room = Math.min(BAR_COLUMNS, WIDTH - columns(head) - columns(tail) - 2);
  if (room < 4) return fit(`${head} ${tail}`, WIDTH);
  const filled = Math.floor((room * step) / steps);
  const bar = paint("accent", "━".repeat(filled), stream) + paint("faint", "━".repeat(room - filled), stream);
  return `${head} ${bar} ${tail}`;
}

/** 1234567 -> "1.2 M". */
export function shortNumber(value: number): string {
  const units = ["", "k", "M", "G", "T", "P"];
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${rest < 9.95 && unit > 0 ? rest.toFixed(1) : Math.round(rest)} ${units[unit]}`.trimEnd() + (unit ? "" : " ");
}

/** { loss: 0.5, accuracy: 0.75 } -> "loss 0.500, accuracy 0.750". */
export const measuresText = (measures: Readonly<Record<string, number>>): string =>
  Object.entries(measures)
    .map(([name, value]) => `${name} ${value.toFixed(3)}`)
    .join(", ");

/** A line for what is worth keeping; undefined for what is not. */
function eventText(event: Exclude<RunEvent, StepEvent>): string | undefined {
  switch (event.type) {
    case "validation": {
      if ("loss" in event)
        return `step ${event.step}: held out ${measuresText({ loss: event.loss, ...event.measures })}`;
      const bits = event.bits_per_byte === undefined ? "" : `, ${event.bits_per_byte.toFixed(4)} bits a byte`;
      const { nats_per_token: nats, perplexity } = event;
      return `step ${event.step}: held out ${nats.toFixed(4)} nats a token${bits}, perplexity ${perplexity.toFixed(2)}`;
    }
    case "sample": {
      const said = harmless(`${event.prompt}${event.text}`).replaceAll("\n", " ⏎ ");
      const copied = event.copied == null ? "" : ` (${event.copied.characters} copied)`;
      return fit(`step ${event.step}: ${said}`, WIDTH - columns(copied)) + copied;
    }
    case "probes":
      return `step ${event.step}: ${event.right} of ${event.questions} probes right`;
    case "left-out":
      return `step ${event.step} was left out, because ${event.reason}`;
    case "checkpoint":
      return undefined;
  }
  return event satisfies never;
}
