// Questions with choices that a model is asked while it is trained: does it find the right one the likeliest after the prompt?
// Likelihood is the sum of the log-probabilities of a choice's tokens, so choices are best about as long as each other.
import { readText } from "#platform";
import * as z from "zod";
import { FormatError, UsageError } from "../../base/errors.ts";
import type { RunLineOf } from "../../store/run-lines.ts";
import { withBos } from "../../chat/text-side.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { MicroBatch } from "../micro-batch.ts";

/** A line of the probes' file. */
export interface Probe {
  readonly prompt: string;
  /** Two or more; the prompt goes on with each. */
  readonly choices: readonly string[];
  /** Index of the right one. */
  readonly answer: number;
}

/** Log-probabilities of a batch's targets. (M). */
export type AskModel = (batch: MicroBatch) => Promise<Float32Array>;

export type ProbeResult = Omit<RunLineOf<"probes">, "type" | "step">;

const FILE_BYTES_MAX = 16 * 2 ** 20;
const schema = z
  .strictObject({
    prompt: z.string("expected a text"),
    choices: z.array(z.string("expected a text").min(1, "expected a text"), "expected a list of texts").min(2),
    answer: z.int("expected a whole number").min(0),
  })
  .refine(({ answer, choices }) => answer < choices.length, "expected answer to be the index of one of the choices");

/** Reads a JSONL file of probes. Throws FormatError that names the line. */
export async function readProbes(path: string): Promise<Probe[]> {
  const lines = (await readText(path, FILE_BYTES_MAX)).split("\n");
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new FormatError(path, `line ${i + 1}`, line, "JSON", { cause });
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return [parsed.data];
    const [{ path: field, message }] = parsed.error.issues;
    throw new FormatError(path, `line ${i + 1}, ${field.join(".") || "the probe"}`, line, message);
  });
}

/** One choice of a probe as tokens: the rows of `ids` whose next token is of the choice are its last `targets` ones. */
interface Asked {
  readonly probe: number;
  readonly choice: number;
  readonly ids: readonly number[];
  readonly targets: number;
}

export interface PreparedProbes {
  readonly probes: readonly Probe[];
  readonly batches: readonly { readonly batch: MicroBatch; readonly asked: readonly Asked[] }[];
}

/** Probes as micro-batches of at most `rows` tokens. Throws UsageError for a probe that is longer than `window`. */
export function prepareProbes(
  probes: readonly Probe[],
  tokenizer: Tokenizer,
  { rows, window }: { readonly rows: number; readonly window: number },
): PreparedProbes {
  const all = probes.flatMap(({ prompt, choices }, probe) =>
    choices.map((text, choice): Asked => {
      const before = withBos(tokenizer, tokenizer.encode(prompt));
      const ids = withBos(tokenizer, tokenizer.encode(prompt + text));
      let shared = 0;
      while (shared < before.length && shared < ids.length - 1 && before[shared] === ids[shared]) shared++;
      if (shared === 0) shared = 1; // nothing predicts the first token
      const most = Math.min(rows, window);
      if (ids.length - 1 > most || ids.length < 2) {
        throw new UsageError(
          `Probe ${probe + 1} has ${ids.length} tokens with choice ${choice + 1}, expected 2 to ${most + 1}.`,
          {
            field: "probes.file",
          },
        );
      }
      return { probe, choice, ids, targets: ids.length - shared };
    }),
  );
  const batches: Asked[][] = [];
  let free = 0;
  for (const asked of all) {
    const taken = asked.ids.length - 1;
    if (taken > free) {
      batches.push([]);
      free = rows;
    }
    batches.at(-1)!.push(asked);
    free -= taken;
  }
  return { probes, batches: batches.map((asked) => ({ asked, batch: batchOf(asked) })) };
}

function batchOf(all: readonly Asked[]): MicroBatch {
  const [ids, positions, starts, outputRows, targets]: number[][] = [[], [], [], [], []];
  for (const { ids: tokens, targets: count } of all) {
    const start = ids.length;
    for (let i = 0; i < tokens.length - 1; i++) {
      if (i >= tokens.length - 1 - count) {
        outputRows.push(ids.length);
        targets.push(tokens[i + 1]);
      }
      ids.push(tokens[i]);
      positions.push(i);
      starts.push(start);
    }
  }
  return {
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    starts: Int32Array.from(starts),
    outputRows: Int32Array.from(outputRows),
    targets: Int32Array.from(targets),
    weights: new Float32Array(outputRows.length).fill(1),
  };
}

/** Asks the model all probes. */
export async function askProbes({ probes, batches }: PreparedProbes, ask: AskModel): Promise<ProbeResult> {
  const likelihoods = probes.map(({ choices }) => choices.map(() => 0));
  let [nats, tokens] = [0, 0];
  for (const { batch, asked } of batches) {
    const found = await ask(batch);
    let at = 0;
    for (const { probe, choice, targets } of asked) {
      const sum = found.subarray(at, at + targets).reduce((a, b) => a + b, 0);
      at += targets;
      likelihoods[probe][choice] = sum;
      if (choice !== probes[probe].answer) continue;
      nats -= sum;
      tokens += targets;
    }
  }
  const right = probes.filter(({ answer }, i) =>
    likelihoods[i].every((value, j) => j === answer || value < likelihoods[i][answer]),
  );
  return { right: right.length, questions: probes.length, nats_per_token: nats / tokens };
}
