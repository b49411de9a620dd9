// What both gradients of attention of rows begin with: a block of queries meets one of keys, scores are computed again, and
// give the weights and how the loss changes with each score.
import { type Floats, type Int, type KernelBuilder, exp } from "../../../lanes/index.ts";
import { FLOAT_BYTES } from "./loops.ts";
import {
  BLOCK,
  type RowAttentionShape,
  bend,
  copyRows,
  maskOf,
  meeting,
  multiplyBlock,
  paddedSize,
  type sharedWords,
  turnedAt,
  visible,
} from "./row-attention.ts";
import { bringBias } from "./row-attention-tables.ts";

/**
 * q and dy (rows, heads * D); `turnedKeys` and `turnedValues`: k and v turned over; (rows, heads): `sums` as the forward
 * kernel gives them, and `dots`, dy · y.
 */
export const changesWords = ["q", "dy", "turnedKeys", "turnedValues", "starts", "ends", "sums", "dots"] as const;
type Words = Readonly<Record<(typeof changesWords)[number] | (typeof sharedWords)[number], Int>>;

/** Where a block's rows lie in scratch: queries and what flows to them; of a key each, weights and changes; biases. */
export interface ChangesPlaces {
  readonly queries: Int;
  readonly upstream: Int;
  readonly weights: Int;
  readonly changes: Int;
  readonly biases: Int;
}

export function changesPlaces(shape: RowAttentionShape, reserve: (floats: number) => Int): ChangesPlaces {
  const size = paddedSize(shape);
  return {
    queries: reserve(size),
    upstream: reserve(size),
    weights: reserve(BLOCK),
    changes: reserve(BLOCK),
    biases: reserve(2), // of two blocks' distances
  };
}

/** Fills the places for `count` queries from `query` on and the keys from `key` on: 0 where a row sees no key. */
export function blockChanges(
  k: KernelBuilder,
  w: Words,
  shape: RowAttentionShape,
  { queries, upstream, weights, changes, biases }: ChangesPlaces,
  { head, query, count, key, lanes }: { head: Int; query: Int; count: Int; key: Int; lanes: Floats },
): void {
  const { headSize, capped, hasBias } = shape;
  const [sizeBytes, keyBytes, headBytes] = [paddedSize(shape), BLOCK, headSize].map((floats) => floats * FLOAT_BYTES);
  const rowBytes = w.heads.mul(headBytes);
  const own = query.mul(rowBytes).add(head.mul(headBytes));
  const scale = w.scale.asFloat().splat();
  copyRows(k, shape, { from: w.q.add(own), stride: rowBytes, to: queries, rows: count, factor: scale });
  copyRows(k, shape, { from: w.dy.add(own), stride: rowBytes, to: upstream, rows: count });
  const groupColumns = w.heads.div(w.repeat).mul(headSize);
  const turned = (base: Int): Int => turnedAt(base, key, groupColumns, head.div(w.repeat).mul(headSize));
  const met = { ...meeting(sizeBytes), rows: count, steps: headSize };
  multiplyBlock(k, { ...met, a: queries, b: turned(w.turnedKeys), c: weights });
  multiplyBlock(k, { ...met, a: upstream, b: turned(w.turnedValues), c: changes });
  const bias = hasBias ? bringBias(k, w, shape, { head, query, key }, biases) : undefined;
  k.range(0, count, 1, (i) => {
    const row = query.add(i);
    const mask = maskOf(visible(w, shape, row), key, lanes);
    const statistics = row.mul(w.heads).add(head).mul(FLOAT_BYTES);
    const [sum, dot] = [w.sums, w.dots].map((at) => at.add(statistics).splatFloats());
    const [weightsAt, changesAt] = [weights, changes].map((at) => at.add(i.mul(keyBytes)));
    for (let n = 0; n < BLOCK; n += k.lanes) {
      const raw = weightsAt.loadFloats(n * FLOAT_BYTES);
      const bent = capped ? bend(k, raw, w.cap.asFloat()) : raw;
      const score = bias === undefined ? bent : bent.add(bias(i, n));
      const isSeen = mask(n);
      const weight = isSeen.selectFloats(exp(score.sub(sum)), 0);
      const flowing = weight.mul(changesAt.loadFloats(n * FLOAT_BYTES).sub(dot));
      const change = capped ? flowing.mul(slope(k, score, w.cap)) : flowing;
      weightsAt.store(weight, n * FLOAT_BYTES);
      changesAt.store(isSeen.selectFloats(change, 0), n * FLOAT_BYTES);
    }
  });
}

/** How the soft cap changes with the score that it gave. */
export function slope(k: KernelBuilder, score: Floats, cap: Int): Floats {
  const share = score.div(cap.asFloat().splat());
  return k.floats(1).sub(share.mul(share));
}
