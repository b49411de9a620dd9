// What attention adds to its scores besides products: a table by distance (ALiBi, Press et al. 2022; relative positions,
// Raffel et al. 2020) and a sink of each head, a logit that takes part in the softmax and whose share is dropped. Both are
// inputs that may be missing, the last ones of their op.
import { UnsupportedError } from "../../base/errors.ts";
import { expectShape, expectType, matrix } from "./checks.ts";
import type { Tensor } from "../tensor.ts";

/** Which of the two an op has. */
export interface ScoreTableFlags {
  readonly hasBias?: boolean;
  readonly hasSinks?: boolean;
}

export interface ScoreTables<T = Tensor> {
  /**
   * (H, B): row h is added to the scores of head h. The last column is for the last key that a query may see, the one
   * before it for the key before that: a query at i and a key at j have column B - 1 - (i - j). In both directions B is odd,
   * and column (B - 1) / 2 is for i = j. Scores of pairs that are farther apart have the outermost column.
   */
  readonly bias?: T | undefined;
  /** (H): scores that stand beside those of the keys, with no value. */
  readonly sinks?: T | undefined;
}

export const flagsOf = ({ bias, sinks }: ScoreTables): ScoreTableFlags => ({
  ...(bias !== undefined && { hasBias: true }),
  ...(sinks !== undefined && { hasSinks: true }),
});

/** An op's inputs, in order: those that it always has, then these. */
export const withTables = (inputs: readonly Tensor[], { bias, sinks }: ScoreTables): Tensor[] =>
  [...inputs, bias, sinks].filter((input) => input !== undefined);

/** The other way round: what comes before the tables, and the tables. */
export function tablesOf<T>(
  inputs: readonly T[],
  { hasBias = false, hasSinks = false }: ScoreTableFlags,
): ScoreTables<T> & { readonly others: readonly T[] } {
  const count = inputs.length - Number(hasBias) - Number(hasSinks);
  return {
    others: inputs.slice(0, count),
    bias: hasBias ? inputs[count] : undefined,
    sinks: hasSinks ? inputs[inputs.length - 1] : undefined,
  };
}

/** The columns B of the table, if there is one. Throws ShapeError, and UnsupportedError for a table beside a soft cap. */
export function expectTables(
  op: string,
  { bias, sinks }: ScoreTables,
  { heads, softCap }: { readonly heads: number; readonly softCap?: number },
): number | undefined {
  if (sinks !== undefined) {
    expectType(op, "sinks", sinks, "f32");
    expectShape(op, "sinks", sinks, [heads]);
  }
  if (bias === undefined) return undefined;
  const [, columns] = matrix(op, "bias", bias);
  expectType(op, "bias", bias, "f32");
  expectShape(op, "bias", bias, [heads, columns]);
  if (softCap !== undefined) {
    throw new UnsupportedError(`${op}: a bias by distance and a soft cap of ${softCap}: expected one of them.`);
  }
  return columns;
}
