// Which values are computed on the way to an attention, by one step before it: norms of heads, rotations of queries and
// keys, what is written to the cache. Here: the patterns, found once a graph. What steps they become: lower-attention.ts.
import {
  type Op,
  type Tensor,
  attentionOp,
  attributesOf,
  bound,
  isParameter,
  isState,
  leafName,
  rmsNormOp,
  ropeOp,
  writeRowsOp,
} from "../../graph/index.ts";
import { columnsOf } from "./lower-common.ts";
import { DECODE_ROWS, type Lowering } from "./lowering.ts";
import { noKernel } from "./no-kernel.ts";

/** What is done before one attention. */
export interface Preparation {
  readonly keys: Tensor;
  readonly values: Tensor;
  /** Rotations on the way, of the same angles. */
  readonly keyRope: Tensor | undefined;
  readonly queryRope: Tensor | undefined;
  /** Whether the attention rotates the queries that it reads anyway; the step before it has the rest. */
  readonly isRotatedLater: boolean;
  /** Norms of heads before these rotations. */
  readonly keyNorm: Tensor | undefined;
  readonly queryNorm: Tensor | undefined;
}

/**
 * By attention: what is done before it; undefined: nothing, as its cache was written by earlier runs. Throws
 * UnsupportedError for a cache that this run writes for others too.
 */
export function preparationsOf(lowering: Lowering): ReadonlyMap<Tensor, Preparation | undefined> {
  const attentions = lowering.graph.nodes.filter((node) => isOp(node, attentionOp));
  return new Map(attentions.map((node) => [node, preparationOf(node, lowering)]));
}

/** The values that a preparation computes on the way: no step of their own computes them. */
export const foldedValues = ({ keys, values, keyRope, queryRope, keyNorm, queryNorm }: Preparation): Tensor[] =>
  [keys, values, keyRope, queryRope, keyNorm, queryNorm].filter((value) => value !== undefined);

/**
 * Whether an attention goes row by row: few rows, or rows that may each be of a sequence of their own, so that none shares
 * keys with the next.
 */
export function attendsByRow(node: Tensor): boolean {
  const rows = bound(node.shape[0]);
  const [, , , pages] = node.inputs;
  return rows <= Math.max(DECODE_ROWS, bound(pages.shape[0]));
}

const isOp = (tensor: Tensor, op: Op): boolean => tensor.op === op;

function preparationOf(node: Tensor, lowering: Lowering): Preparation | undefined {
  const [q, keys, values] = node.inputs;
  if (isState(keys) && isState(values)) return undefined;
  for (const state of [keys, values]) {
    const isOnlyReader = lowering.readers(state)?.every((reader) => reader === node) === true;
    if (!isOp(state, writeRowsOp) || !isOnlyReader) {
      throw noKernel(`attention over ${leafName(state)}`, "expected rows written for it alone");
    }
  }
  const isFolded = (x: Tensor, reader: Tensor): boolean =>
    isOp(x, ropeOp) && attributesOf(x, ropeOp).layout === "halves" && lowering.onlyReader(x) === reader;
  const keyRope = isFolded(keys.inputs[2], keys) ? keys.inputs[2] : undefined;
  const isSame = keyRope !== undefined && [1, 2].every((i) => q.inputs[i] === keyRope.inputs[i]);
  const queryRope = isSame && isFolded(q, node) ? q : undefined;
  const isPrompt = !attendsByRow(node);
  return {
    keys,
    values,
    keyRope,
    queryRope,
    // where registers of any machine take a row of angles whole
    isRotatedLater: isPrompt && queryRope !== undefined && columnsOf(queryRope.inputs[1]) % 16 === 0,
    keyNorm: keyRope && headNorm(keyRope, lowering),
    queryNorm: isPrompt ? undefined : queryRope && headNorm(queryRope, lowering), // prompts may rotate queries later
  };
}

/** The norm over heads that only this rotation reads. */
function headNorm(rope: Tensor, lowering: Lowering): Tensor | undefined {
  const [norm] = rope.inputs;
  if (!isOp(norm, rmsNormOp) || lowering.onlyReader(norm) !== rope || !isParameter(norm.inputs[1])) return undefined;
  return norm.inputs[1].shape[0] === attributesOf(rope, ropeOp).headSize ? norm : undefined;
}
