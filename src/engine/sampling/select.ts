// Selection in linear time, by three-way partitions (Dijkstra's flag, Hoare's quickselect): the k-th largest value, and
// the cut at which a running sum of weights reaches a target. Both reorder their arguments' leading `count` entries.

/** The k-th largest of values[0..count), 1 <= k <= count. */
export function kthLargest(values: Float64Array, count: number, k: number): number {
  let low = 0;
  let high = count;
  const rank = count - k; // its place in ascending order
  for (;;) {
    const pivot = middle(values, low, high);
    const [less, equal] = partition(values, undefined, low, high, pivot);
    if (rank < less) high = less;
    else if (rank < equal) return pivot;
    else low = equal;
  }
}

/**
 * The smallest key t such that the weights of all keys <= t sum to at least `target`; the largest key when even all
 * do not. `weights` stay with their keys. No NaN.
 */
export function cutAtMass(keys: Float64Array, weights: Float64Array, count: number, target: number): number {
  let low = 0;
  let high = count;
  let before = 0; // weight of the keys below low
  for (;;) {
    const pivot = middle(keys, low, high);
    const [less, equal] = partition(keys, weights, low, high, pivot);
    const massLess = sum(weights, low, less);
    if (less > low && before + massLess >= target) {
      high = less;
      continue;
    }
    before += massLess + sum(weights, less, equal);
    if (before >= target || equal === high) return pivot;
    low = equal;
  }
}

/** Orders [low, high) as keys < pivot, = pivot, > pivot; returns where the second and the third part begin. */
function partition(
  keys: Float64Array,
  weights: Float64Array | undefined,
  low: number,
  high: number,
  pivot: number,
): [number, number] {
  let less = low;
  let greater = high;
  for (let i = low; i < greater;) {
    const key = keys[i];
    if (key < pivot) swap(keys, weights, i++, less++);
    else if (key > pivot) swap(keys, weights, i, --greater);
    else i++;
  }
  return [less, greater];
}

function swap(keys: Float64Array, weights: Float64Array | undefined, i: number, j: number): void {
  const key = keys[i];
  keys[i] = keys[j];
  keys[j] = key;
  if (weights === undefined) return;
  const weight = weights[i];
  weights[i] = weights[j];
  weights[j] = weight;
}

/** Median of first, middle and last: sorted input costs no more than shuffled. */
function middle(values: Float64Array, low: number, high: number): number {
  const a = values[low];
  const b = values[(low + high) >>> 1];
  const c = values[high - 1];
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function sum(values: Float64Array, from: number, to: number): number {
  let total = 0;
  for (let i = from; i < to; i++) total += values[i];
  return total;
}
