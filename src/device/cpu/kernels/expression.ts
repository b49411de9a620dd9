// Element by element, a whole expression at once: any number of operands and results in one pass over memory. A kernel is
// built from its expression and kept by its label. A result may be the same place as an operand that is read at each
// element. A part is a share of the chunks of 1024 elements, or of the rows.
import { getOrMake } from "../../../base/collections.ts";
import { type Floats, type Int, type Kernel, type KernelBuilder, defineKernel } from "../../../lanes/index.ts";
import type { BinaryName, UnaryName } from "../../../graph/index.ts";
import { binaryLanes, unaryLanes } from "./elementwise.ts";
import { FLOAT_BYTES } from "./loops.ts";

/** Elements of a chunk; parts are made of whole ones. */
export const CHUNK = 1024;

/** How an operand is read: its own number for each element, one for all, one for each column, one for each row. */
export type Reach = "each" | "one" | "row" | "column";

/** A value of an expression; numbers are indices of earlier ones. */
export type ExpressionValue =
  | { readonly kind: "operand"; readonly reach: Reach }
  /** An f32 whose bits are a word of the record. */
  | { readonly kind: "constant" }
  | { readonly kind: "unary"; readonly by: UnaryName; readonly x: number }
  | { readonly kind: "binary"; readonly by: BinaryName; readonly a: number; readonly b: number };

export interface Expression {
  /** In an order in which each can be computed. */
  readonly values: readonly ExpressionValue[];
  /** The values that are stored. */
  readonly results: readonly number[];
}

export const labelOf = (value: ExpressionValue): string => {
  if (value.kind === "operand") return value.reach;
  if (value.kind === "constant") return "constant";
  return value.kind === "unary" ? `${value.by} ${value.x}` : `${value.by} ${value.a} ${value.b}`;
};

/** Whether rows and columns matter: then words are `rows` of `width` elements, and a column's numbers last `repeat` rows. */
export const isByRow = ({ values }: Expression): boolean =>
  values.some((value) => value.kind === "operand" && (value.reach === "row" || value.reach === "column"));

const kernels = new Map<string, Kernel>();

/**
 * Words: `x<i>` for each operand, an address; `c<i>` for each constant; `out<i>` for each result; then `count`, or `rows`,
 * `width` and `repeat`.
 */
export function expressionKernel(expression: Expression): Kernel {
  const label = `map ${expression.values.map(labelOf).join(", ")}: ${expression.results.join(", ")}`;
  return getOrMake(kernels, label, () => make(label, expression));
}

type Words = Readonly<Record<string, Int>>;

/** Words of the values of a kind, in their order. */
export const numbered = (values: readonly ExpressionValue[], kind: "operand" | "constant", name: string): string[] =>
  values.filter((value) => value.kind === kind).map((_, i) => `${name}${i}`);

/** Where a row's numbers begin, `offset` bytes from the first row's; a row that is the same for all has no others. */
export function rowAddresses(values: readonly ExpressionValue[], w: Words, offset: Int): Words {
  const operands = values.filter((value) => value.kind === "operand");
  return Object.fromEntries(
    operands.map(({ reach }, i) => [`x${i}`, reach === "each" ? w[`x${i}`].add(offset) : w[`x${i}`]]),
  );
}

function make(label: string, expression: Expression): Kernel {
  const { values, results } = expression;
  const outs = results.map((_, i) => `out${i}`);
  const operands = [...numbered(values, "operand", "x"), ...numbered(values, "constant", "c"), ...outs];
  if (!isByRow(expression)) {
    return defineKernel(label, [...operands, "count"], (k, w: Words) => {
      const evaluate = evaluation(k, expression, w)();
      k.share(w.count.add(CHUNK - 1).div(CHUNK), (first, end) => {
        const addresses = outs.map((out) => w[out]);
        const [from, to] = [first, end].map((chunk) => chunk.mul(CHUNK).min(w.count)); // a part may be empty
        mapAll(k, from, to, addresses, (i) => evaluate(i, w));
      });
    });
  }
  return defineKernel(label, [...operands, "rows", "width", "repeat"], (k, w: Words) => {
    const evaluateIn = evaluation(k, expression, w);
    k.share(w.rows, (first, end) => {
      k.range(first, end, 1, (row) => {
        const offset = row.mul(w.width).mul(FLOAT_BYTES);
        const ofRow = rowAddresses(values, w, offset);
        const evaluate = evaluateIn(row.div(w.repeat));
        const addresses = outs.map((out) => w[out].add(offset));
        mapAll(k, k.int(0), w.width, addresses, (i) => evaluate(i, ofRow));
      });
    });
  });
}

/**
 * Gives the results from element `i` on, by the column's row, if there are columns; what all elements share is loaded once, what
 * a row shares once a row.
 */
export function evaluation(
  k: KernelBuilder,
  { values, results }: Expression,
  w: Words,
  functions: typeof unaryLanes = unaryLanes,
): (row?: Int) => (i: Int, addresses: Words) => Floats[] {
  let [operands, constants] = [0, 0];
  const shared = values.map((value): Floats | string | undefined => {
    if (value.kind === "constant") return w[`c${constants++}`].asFloat().splat();
    if (value.kind !== "operand") return undefined;
    const name = `x${operands++}`;
    return value.reach === "one" ? w[name].splatFloats() : name;
  });
  return (row) => {
    const known = shared.map((it, n) => {
      const value = values[n];
      const isColumn = value.kind === "operand" && value.reach === "column";
      return isColumn ? w[it as string].add((row as Int).mul(FLOAT_BYTES)).splatFloats() : it;
    });
    return (i, addresses) => {
      const found: Floats[] = [];
      for (const [n, value] of values.entries()) {
        const it = known[n];
        if (typeof it === "string") found.push(addresses[it].add(i.mul(FLOAT_BYTES)).loadFloats());
        else if (it !== undefined) found.push(it);
        else if (value.kind === "unary") found.push(functions[value.by](found[value.x], k));
        else if (value.kind === "binary") found.push(binaryLanes[value.by](found[value.a], found[value.b]));
      }
      return results.map((result) => found[result]);
    };
  };
}

/** Stores what `body` gives for each register of the elements [first, end), each to its own array of f32. */
function mapAll(k: KernelBuilder, first: Int, end: Int, outs: readonly Int[], body: (i: Int) => Floats[]): void {
  const registerBytes = k.lanes * FLOAT_BYTES;
  k.range(first, end.sub(k.lanes - 1), k.lanes, (i) => {
    const at = i.mul(FLOAT_BYTES);
    body(i).forEach((value, n) => outs[n].add(at).store(value));
  });
  const tail = first.add(end.sub(first).and(-k.lanes));
  k.when(tail.less(end), () => {
    body(tail).forEach((value, n) => k.scratch.store(value, n * registerBytes));
    k.range(0, end.sub(tail), 1, (i) => {
      const [from, at] = [k.scratch.add(i.mul(FLOAT_BYTES)), tail.add(i).mul(FLOAT_BYTES)];
      outs.forEach((out, n) => out.add(at).store(from.loadFloat(n * registerBytes)));
    });
  });
}
