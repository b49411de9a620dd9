// What one row of the reference's table is: an op and how it is evaluated, on whole values, by plain loops in f64.
import type { Op } from "../../graph/index.ts";
import type { Rows } from "./rows.ts";

/** Lets long loops give way to the event loop now and then, so that an abort is heard. */
export interface Pacer {
  /** True when it is time to give way: then `await giveWay()`, which rejects with AbortError when the run is aborted. */
  due(): boolean;
  giveWay(): Promise<void>;
}

/** The result's size in this run. */
export interface ResultSize {
  readonly rows: number;
  readonly columns: number;
}

/** The result's rows; an alias op gives back its first input, changed. */
type Evaluate<A> = (inputs: readonly Rows[], attributes: A, pacer: Pacer, size: ResultSize) => Rows | Promise<Rows>;

export interface Evaluation {
  readonly op: Op;
  readonly evaluate: Evaluate<object>;
}

/** An op's row of the table; `evaluate` gets the attributes that the op declares. */
export function evaluation<A extends object>(op: Op<A>, evaluate: Evaluate<A>): Evaluation {
  return { op, evaluate: evaluate as Evaluate<object> };
}
