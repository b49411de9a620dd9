// Causal attention over ragged sequences whose keys and values lie in pages (Kwon et al. 2023, paged attention).
// Row i of the queries belongs to sequence s = sequences[i] at position p = positions[i]; it sees the keys of s at
// positions j <= p, and with a window w only p - w < j. The key of position j is row
// pages[s][floor(j / pageSize)] * pageSize + j % pageSize of the keys' state.
import { ShapeError } from "../../base/errors.ts";
import { bound, showShape } from "../shape.ts";
import { type Op, type Tensor, apply, stateTypes } from "../tensor.ts";
import { expectBlocks, expectDivisible, expectPositive, expectShape, expectType, matrix } from "./checks.ts";
import { type ScoreTableFlags, type ScoreTables, expectTables, flagsOf, tablesOf, withTables } from "./score-tables.ts";

export interface AttentionAttributes extends ScoreTableFlags {
  /** Query heads H and key-value heads G; head h reads key-value head floor(h / (H / G)). */
  readonly heads: number;
  readonly kvHeads: number;
  /** Scores are q·k times this. */
  readonly scale: number;
  readonly pageSize: number;
  /** Sliding window in tokens, the query's own included. */
  readonly window?: number;
  /** Scores become cap * tanh(score / cap) before the mask (Gemma 2). */
  readonly softCap?: number;
}

/**
 * Inputs: q (N, H*D), keys (S, G*D), values (S, G*D), pages (sequences, P) i32, positions (N), sequences (N) i32. Where P
 * is an extent, the run's tables are that wide and lie one after another. Values may be the keys themselves: one state.
 * Then bias and sinks, where it has them; the bias has a column for every distance that the pages hold.
 */
export const attentionOp: Op<AttentionAttributes> = {
  name: "attention",
  result: "fresh",
  infer(inputs, attributes) {
    const { heads, kvHeads, scale, pageSize, window, softCap } = attributes;
    const [q, keys, values, pages, positions, sequences] = inputs;
    const [rows, columns] = matrix("attention", "q", q);
    const [slots, keyColumns] = matrix("attention", "keys", keys);
    expectType("attention", "q", q, "f32");
    expectDivisible("attention", "q columns", columns, heads);
    expectDivisible("attention", "heads", heads, kvHeads);
    expectShape("attention", "keys", keys, [slots, (columns / heads) * kvHeads]);
    expectShape("attention", "values", values, [slots, keyColumns]);
    if (keys.type === "i32") throw new ShapeError("attention: keys", keys.type, stateTypes.join(" or "));
    expectBlocks("attention", "head size", columns / heads, keys.type);
    expectType("attention", "values", values, keys.type);
    expectPositive("attention", "scale", scale);
    if (window !== undefined) expectPositive("attention", "window", window);
    if (softCap !== undefined) expectPositive("attention", "softCap", softCap);
    if (typeof slots !== "number" || slots % pageSize !== 0) {
      throw new ShapeError("attention: keys rows", slots, `a multiple of the page size ${pageSize}`);
    }
    if (pages.shape.length !== 2)
      throw new ShapeError("attention: pages", showShape(pages.shape), "[sequences, pages]");
    for (const [name, tensor] of Object.entries({ pages, positions, sequences })) {
      expectType("attention", name, tensor, "i32");
    }
    expectShape("attention", "positions", positions, [rows]);
    expectShape("attention", "sequences", sequences, [rows]);
    const distances = expectTables("attention", tablesOf(inputs, attributes), attributes);
    const places = bound(pages.shape[1]) * pageSize;
    if (distances !== undefined && distances < places) {
      throw new ShapeError("attention: bias columns", distances, `one for each of ${places} distances`);
    }
    return { shape: q.shape, type: "f32" };
  },
};

export interface AttentionInputs extends ScoreTables {
  readonly q: Tensor;
  readonly keys: Tensor;
  readonly values: Tensor;
  readonly pages: Tensor;
  readonly positions: Tensor;
  readonly sequences: Tensor;
}

/** q (N, H*D) over paged keys and values -> (N, H*D). */
export const attention = (x: AttentionInputs, attributes: AttentionAttributes): Tensor =>
  apply(attentionOp, withTables([x.q, x.keys, x.values, x.pages, x.positions, x.sequences], x), {
    ...attributes,
    ...flagsOf(x),
  });
