// Op name → evaluation: one row for each op that the reference knows, which is every op there is.
import { attention } from "./attention.ts";
import { blockMax } from "./block-max.ts";
import { binary, scale, unary } from "./elementwise.ts";
import type { Evaluation } from "./evaluation.ts";
import { linear } from "./linear.ts";
import { layerNorm, rmsNorm } from "./norm.ts";
import { rope } from "./rope.ts";
import { gather, writeRows } from "./rows-ops.ts";

const rows = [attention, binary, blockMax, gather, layerNorm, linear, rmsNorm, rope, scale, unary, writeRows];

export const evaluations: ReadonlyMap<string, Evaluation> = new Map(rows.map((row) => [row.op.name, row]));
