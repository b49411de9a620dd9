// Answers that a model gave → micro-batches in which it learns from them: prompt and reply end to end, every token of the
// reply a target. Not here: how much each answer counts (policies.ts).
import { UsageError } from "../../base/errors.ts";
import { bestFit } from "../data/packing.ts";
import type { MicroBatch } from "../micro-batch.ts";

export interface Answer {
  readonly prompt: readonly number[];
  /** The token that ended it included; one at least. */
  readonly reply: readonly number[];
}

/** What an objective is told of one answer. */
export interface AnswerInputs {
  /** What each element counts: of each of the reply's tokens, or of the answer. */
  readonly weight: number;
  /** By input: a number for each of the reply's tokens. */
  readonly rows?: Readonly<Record<string, ArrayLike<number>>>;
  /** By input: a number, where elements are answers. */
  readonly each?: Readonly<Record<string, number>>;
}

export type ElementKind = "rows" | "answers";

/** Tokens that are read: the last one is only a target. */
export const rowsOf = ({ prompt, reply }: Answer): number => prompt.length + reply.length - 1;

/** The answers of each micro-batch, by index: in order, each into the fullest batch of `rows` rows with room for it. */
export function packAnswers(answers: readonly Answer[], rows: number): number[][] {
  const sizes = Uint32Array.from(answers, rowsOf);
  const longest = sizes.reduce((most, size) => Math.max(most, size), 0);
  if (longest > rows) {
    throw new UsageError(`An answer has ${longest} tokens with its prompt, expected at most batch.rows, ${rows}.`, {
      field: "batch.rows",
    });
  }
  const batchOf = bestFit(sizes, Uint32Array.from(answers.keys()), rows);
  const batches: number[][] = [];
  for (const [answer, batch] of batchOf.entries()) (batches[batch] ??= []).push(answer);
  return batches;
}

/** A micro-batch of answers. Without `inputs` it has none of the objective's own, and every element counts 1. */
export function answerBatch(
  answers: readonly Answer[],
  elements: ElementKind,
  inputs?: readonly AnswerInputs[],
): MicroBatch {
  const total = answers.reduce((sum, answer) => sum + rowsOf(answer), 0);
  const targetsTotal = answers.reduce((sum, { reply }) => sum + reply.length, 0);
  const [ids, positions, starts] = [0, 1, 2].map(() => new Int32Array(total));
  const [outputRows, targets, elementOf] = [0, 1, 2].map(() => new Int32Array(targetsTotal));
  const weights = new Float32Array(elements === "rows" ? targetsTotal : answers.length).fill(1);
  const own = new Map<string, Float32Array>();
  const values = (name: string, length: number): Float32Array => {
    const known = own.get(name) ?? new Float32Array(length);
    own.set(name, known);
    return known;
  };
  let [row, output] = [0, 0];
  for (const [i, answer] of answers.entries()) {
    const { prompt, reply } = answer;
    const rows = rowsOf(answer);
    const all = [...prompt, ...reply];
    for (let r = 0; r < rows; r++) {
      ids[row + r] = all[r];
      positions[row + r] = r;
    }
    starts.fill(row, row, row + rows);
    for (const [t, id] of reply.entries()) {
      outputRows[output + t] = row + prompt.length - 1 + t;
      targets[output + t] = id;
    }
    elementOf.fill(i, output, output + reply.length);
    if (inputs !== undefined) {
      const { weight, rows: ofRows = {}, each = {} } = inputs[i];
      if (elements === "rows") weights.fill(weight, output, output + reply.length);
      else weights[i] = weight;
      for (const [name, numbers] of Object.entries(ofRows)) values(name, targetsTotal).set(numbers, output);
      for (const [name, number] of Object.entries(each)) values(name, answers.length)[i] = number;
    }
    row += rows;
    output += reply.length;
  }
  const batch = { ids, positions, starts, outputRows, targets, weights, ...Object.fromEntries(own) };
  return elements === "answers" ? { ...batch, elements: elementOf } : batch;
}
