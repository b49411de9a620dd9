// Interpolated modified Kneser-Ney (Chen and Goodman 1998, "An empirical study of smoothing techniques", as kenlm's lmplz
// has it): the baseline that a small language model has to beat. Counts are sorted arrays: an n-gram is the number of its
// context among the (n-1)-grams and its last token, so any order and vocabulary fit a double. 8 bytes a token and order
// beside 24 an n-gram. Not here: pruning, ARPA files.

export interface KneserNey {
  readonly order: number;
  /** Distinct n-grams by order, the unknown token and the start of sentences among those of one token. */
  readonly counts: readonly number[];
  /** D1, D2, D3+ by order. */
  readonly discounts: readonly (readonly [number, number, number])[];
  /** Natural logarithm of the probability of each token of a sentence and of its end (tokens.length + 1). */
  logProbabilities(sentence: Int32Array): Float64Array;
}

/** n-grams of one order, by rank: sorted by (rank of the context, last token). */
interface Level {
  /** contextRank * (V + 3) + token, ascending. */
  readonly keys: Float64Array;
  readonly adjusted: Float64Array;
  /** Of each n-gram as a context of the next order: sum of what follows, and what is left for shorter contexts. */
  readonly total: Float64Array;
  readonly backoff: Float64Array;
}

/**
 * Trains on sentences of token ids below `vocabularySize`. The estimate is over these ids that occur, the end of sentences
 * and one unknown token; ids that do not occur count as that one.
 */
export function trainKneserNey(sentences: readonly Int32Array[], vocabularySize: number, order: number): KneserNey {
  const END = vocabularySize;
  const START = vocabularySize + 1;
  const symbols = vocabularySize + 2;
  const length = sentences.reduce((sum, sentence) => sum + sentence.length + 2, 0);
  const tokens = new Int32Array(length); // <s> sentence </s>, end to end
  const place = new Int32Array(length); // in its sentence
  let at = 0;
  for (const sentence of sentences) {
    tokens[at] = START;
    tokens.set(sentence, at + 1);
    tokens[at + sentence.length + 1] = END;
    for (let i = 0; i < sentence.length + 2; i++) place[at++] = i;
  }

  const levels: Level[] = [];
  const ranks: Int32Array[] = []; // by order, then by the place where an n-gram ends
  for (let n = 1; n <= order; n++) {
    const shorter = ranks.at(-1);
    const keyAt = (i: number): number => (shorter === undefined ? 0 : shorter[i - 1]) * symbols + tokens[i];
    let filled = 0;
    const all = new Float64Array(length);
    for (let i = 0; i < length; i++) if (place[i] >= n - 1) all[filled++] = keyAt(i);
    const { keys, runs } = distinct(all.subarray(0, filled).sort());
    const rank = new Int32Array(length).fill(-1);
    for (let i = 0; i < length; i++) if (place[i] >= n - 1) rank[i] = find(keys, keyAt(i));
    ranks.push(rank);
    levels.push({ keys, adjusted: runs, total: new Float64Array(keys.length), backoff: new Float64Array(keys.length) });
  }
  // below the highest order an n-gram counts the different tokens before it, but one that begins a sentence itself
  for (let n = order - 1; n >= 1; n--) {
    const before = new Float64Array(levels[n - 1].keys.length);
    const seen = new Uint8Array(levels[n].keys.length);
    const begins = new Uint8Array(before.length);
    for (let i = 0; i < length; i++) {
      if (place[i] === n - 1) begins[ranks[n - 1][i]] = 1;
      if (place[i] < n || seen[ranks[n][i]] === 1) continue;
      seen[ranks[n][i]] = 1;
      before[ranks[n - 1][i]]++;
    }
    const { adjusted } = levels[n - 1];
    for (let rank = 0; rank < before.length; rank++) if (begins[rank] === 0) adjusted[rank] = before[rank];
  }

  const startRank = find(levels[0].keys, START);
  const discounts = levels.map(({ adjusted }, i) => discountsOf(adjusted, i === 0 ? startRank : -1));
  // the context of no token stands alone
  const empty = { total: 0, backoff: 0 };
  for (const [i, { keys, adjusted }] of levels.entries()) {
    for (let rank = 0; rank < keys.length; rank++) {
      if (i === 0 && rank === startRank) continue; // nothing predicts the start
      const discount = discounts[i][Math.min(adjusted[rank], 3) - 1];
      const context = Math.floor(keys[rank] / symbols);
      if (i === 0) {
        empty.total += adjusted[rank];
        empty.backoff += discount;
      } else {
        levels[i - 1].total[context] += adjusted[rank];
        levels[i - 1].backoff[context] += discount;
      }
    }
  }
  const uniform = 1 / levels[0].keys.length; // what occurs, without the start, with the unknown token

  /** p(token | the context of each order from the shortest), interpolated upwards. */
  const probability = (contexts: readonly number[], token: number): { probability: number; ranks: number[] } => {
    const found: number[] = [];
    let p = uniform;
    for (let n = 1; n <= contexts.length + 1; n++) {
      const context = n === 1 ? 0 : contexts[n - 2];
      if (context < 0) break; // never seen: nor is any longer one
      const { total, backoff } =
        n === 1 ? empty : { total: levels[n - 2].total[context], backoff: levels[n - 2].backoff[context] };
      const rank = find(levels[n - 1].keys, context * symbols + token);
      found.push(rank);
      if (total === 0) continue; // only ends of sentences follow nothing
      const count = rank < 0 ? 0 : levels[n - 1].adjusted[rank];
      const discount = count === 0 ? 0 : discounts[n - 1][Math.min(count, 3) - 1];
      p = (count - discount + backoff * p) / total;
    }
    return { probability: p, ranks: found };
  };

  return {
    order,
    counts: levels.map(({ keys }, i) => keys.length + (i === 0 ? 1 : 0)),
    discounts,
    logProbabilities(sentence) {
      const result = new Float64Array(sentence.length + 1);
      let contexts = [startRank];
      for (let i = 0; i <= sentence.length; i++) {
        const token = i === sentence.length ? END : sentence[i];
        const { probability: p, ranks } = probability(contexts.slice(0, order - 1), token);
        result[i] = Math.log(p);
        contexts = Array.from({ length: Math.min(i + 2, order - 1) }, (_, k) => ranks[k] ?? -1);
      }
      return result;
    },
  };
}

/** Distinct values of an ascending array, and how often each is there. */
function distinct(sorted: Float64Array): { keys: Float64Array; runs: Float64Array } {
  let count = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) count++;
  const keys = new Float64Array(count);
  const runs = new Float64Array(count);
  let last = -1;
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) keys[++last] = sorted[i];
    runs[last]++;
  }
  return { keys, runs };
}

/** The place of a value in an ascending array, or -1. */
function find(keys: Float64Array, key: number): number {
  let low = 0;
  let high = keys.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if (keys[middle] === key) return middle;
    if (keys[middle] < key) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** From how many n-grams have adjusted counts of 1 to 4; where one of the first three is 0 or a discount is none, .5 1 1.5. */
function discountsOf(adjusted: Float64Array, excluded: number): [number, number, number] {
  const n = [0, 0, 0, 0, 0];
  for (let rank = 0; rank < adjusted.length; rank++) {
    if (rank !== excluded && adjusted[rank] <= 4) n[adjusted[rank]]++;
  }
  const y = n[1] / (n[1] + 2 * n[2]);
  const found = [1, 2, 3].map((k) => k - ((k + 1) * y * n[k + 1]) / n[k]) as [number, number, number];
  const isSound = found.every((discount, i) => discount >= 0 && discount <= i + 1); // NaN is not
  return isSound && n[1] > 0 && n[2] > 0 && n[3] > 0 ? found : [0.5, 1, 1.5];
}
