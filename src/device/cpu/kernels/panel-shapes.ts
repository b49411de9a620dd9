// What the panels of the prompt class (panels.ts) are made of and what becomes of their sums: plain (bias, activation,
// residual), or
// gated: groups of two weights, whose f(first) * second goes out as f32 or rounded to int8 blocks, as the next product
// reads it.
import type { Floats, Int, KernelBuilder } from "../../../lanes/index.ts";
import type { ActivationName } from "../../../graph/index.ts";
import { GROUP_ROWS } from "../packed-layouts.ts";
import { unary } from "./elementwise.ts";
import type { Activation } from "./gemm-outputs.ts";
import { FLOAT_BYTES } from "./loops.ts";
import { type PromptValues, outputGroups, storeSums } from "./prompt-outputs.ts";
import { quantizeBlock } from "./quantize.ts";
import { roughUnary } from "./rough.ts";
import { roundedBlockAt } from "./rounded-panels.ts";

/** Rows that are finished: how many, which of the results they are, of which there are `targets`. */
export interface ResultRows {
  readonly count: Int;
  readonly target: (row: Int) => Int;
  readonly targets: Int;
}

export interface PanelShape {
  /** Groups of 16 weight rows in a panel. */
  readonly groups: 2 | 4;
  panels(w: PromptValues): Int;
  /** The panel's groups: of which weight, and their number there. */
  groupsOf(w: PromptValues, panel: Int): readonly { readonly weight: Int; readonly group: Int }[];
  /** Uses the sums of rows, `groups` times 16 f32 a row. */
  finish(k: KernelBuilder, w: PromptValues, sums: Int, rows: ResultRows, panel: Int): void;
}

/** Sums of 16 outputs of a row, as registers. */
const groupSums = (k: KernelBuilder, row: Int, group: number): Floats[] =>
  Array.from({ length: GROUP_ROWS / k.lanes }, (_, n) =>
    row.loadFloats((group * GROUP_ROWS + n * k.lanes) * FLOAT_BYTES),
  );

const sumBytes = (groups: number): number => groups * GROUP_ROWS * FLOAT_BYTES;

/** `activation`: what sums and bias go through. */
export const plain = (activation: Activation = "none"): PanelShape => ({
  groups: 2,
  panels: (w) => outputGroups(w).add(1).div(2),
  groupsOf(w, panel) {
    const last = outputGroups(w).sub(1); // once more where there is no other
    return [0, 1].map((n) => ({ weight: w.weight, group: panel.mul(2).add(n).min(last) }));
  },
  finish(k, w, sums, rows, panel) {
    const first = panel.mul(2 * GROUP_ROWS);
    k.range(0, rows.count, 1, (row) => {
      const from = sums.add(row.mul(sumBytes(2)));
      storeSums(
        k,
        w,
        rows.target(row),
        first,
        [0, 1].flatMap((group) => groupSums(k, from, group)),
        activation,
      );
    });
  },
});

/** 32 outputs of each of two weights; `outer` is a multiple of 32. */
export function gated(activation: ActivationName, form: "f32" | "int8"): PanelShape {
  return {
    groups: 4,
    panels: (w) => outputGroups(w).div(2),
    groupsOf: (w, panel) =>
      [w.weight, w.second].flatMap((weight) => [0, 1].map((n) => ({ weight, group: panel.mul(2).add(n) }))),
    finish(k, w, sums, rows, panel) {
      k.range(0, rows.count, 1, (row) => {
        const from = sums.add(row.mul(sumBytes(4)));
        const target = rows.target(row);
        const column = target.mul(w.outer).add(panel.mul(2 * GROUP_ROWS));
        const apply = form === "f32" ? unary : roughUnary;
        // rounding takes the largest of 32 numbers first, so they wait in scratch
        const to = form === "f32" ? w.out.add(column.mul(FLOAT_BYTES)) : k.scratch;
        for (const group of [0, 1]) {
          const second = groupSums(k, from, 2 + group);
          for (const [n, first] of groupSums(k, from, group).entries()) {
            to.store(apply[activation](first, k).mul(second[n]), (group * GROUP_ROWS + n * k.lanes) * FLOAT_BYTES);
          }
        }
        if (form === "int8") quantizeBlock(k, to, roundedBlockAt(w.out, rows.targets, w.outer, target, panel));
      });
    },
  };
}
