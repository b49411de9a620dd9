// Learns merges: of all neighbouring pairs the one that occurs most becomes a symbol, again and again (Sennrich et al.
// 2016, https://aclanthology.org/P16-1162). Equal counts: the pair of smaller ids first, as the tokenizers library has
// it. Counts are those of a recount after each merge; a merge rewrites a piece from left to right.
//
// A merge touches only the places where its pair stands: each pair worth keeping has a list of them. Only pairs with at
// least `floor` occurrences are kept: no pair grows after the younger of its symbols is made, so whatever falls short
// then can be left out until the floor itself sinks, and everything is collected anew from the cells.
// Not here: bytes and characters (symbol-cells.ts lays them out), spellings.
import { PairQueue } from "./pair-queue.ts";
import { PairTable } from "./pair-table.ts";
import type { Cells, SymbolCells } from "./symbol-cells.ts";

export interface MergeOptions {
  /** Ids below this are base symbols. */
  readonly baseCount: number;
  readonly mergesMax: number;
  /** Pairs that occur less often never merge. */
  readonly countMin: number;
  /** Whether a pair may become a symbol; symbols are asked for by id. Default: every pair. */
  readonly allows?: (left: number, right: number) => boolean;
  /** Called after each merge. */
  readonly onMerge?: (left: number, right: number, merged: number) => void;
}

export interface LearnedMerges {
  /** Merge i makes symbol `baseCount + i` of `lefts[i]` and `rights[i]`, which stood together `counts[i]` times. */
  readonly lefts: readonly number[];
  readonly rights: readonly number[];
  readonly counts: readonly number[];
}

/** The floor sinks by this factor: each time costs a pass over all cells. */
const FLOOR_STEP = 16;
/** First floor: a pair's share of all neighbours such that so many pairs per merge could have it. */
const PAIRS_PER_MERGE = 64;

export function learnMerges(corpus: SymbolCells, options: MergeOptions): LearnedMerges {
  return new MergeLearner(corpus, options).run();
}

class MergeLearner {
  readonly #corpus: SymbolCells;
  readonly #options: MergeOptions;
  /** Base symbols that a symbol is made of. */
  readonly #lengths: Int32Array;
  #table = new PairTable();
  #queue = new PairQueue(this.#table);
  /** Lists of places: where a pair's left symbol begins. Ascending in each list; outdated ones are skipped when read. */
  #places = new Int32Array(0);
  #placesEnd = 0;
  #floor = 0;
  /** Of the merge at work, by neighbouring symbol on either side: weighted count, number of places, next place to write. */
  readonly #left: Neighbours;
  readonly #right: Neighbours;

  constructor(corpus: SymbolCells, options: MergeOptions) {
    this.#corpus = corpus;
    this.#options = options;
    const idCount = options.baseCount + options.mergesMax;
    this.#lengths = new Int32Array(idCount).fill(1);
    this.#left = new Neighbours(idCount);
    this.#right = new Neighbours(idCount);
  }

  run(): LearnedMerges {
    const { baseCount, mergesMax, countMin, allows, onMerge } = this.#options;
    const least = Math.max(1, countMin);
    const [lefts, rights, counts]: [number[], number[], number[]] = [[], [], []];
    this.#floor = Math.max(least, Math.floor(this.#neighbourCount() / (PAIRS_PER_MERGE * Math.max(1, mergesMax))));
    this.#collect();
    while (lefts.length < mergesMax) {
      const row = this.#queue.pop(this.#floor);
      if (row < 0) {
        if (this.#floor === least) break;
        this.#floor = Math.max(least, Math.floor(this.#floor / FLOOR_STEP));
        this.#collect();
        continue;
      }
      const left = this.#table.lefts[row];
      const right = this.#table.rights[row];
      if (allows !== undefined && !allows(left, right)) continue;
      const merged = baseCount + lefts.length;
      lefts.push(left);
      rights.push(right);
      counts.push(this.#table.counts[row]);
      this.#lengths[merged] = this.#lengths[left] + this.#lengths[right];
      this.#merge(row, merged);
      onMerge?.(left, right, merged);
    }
    return { lefts, rights, counts };
  }

  /** Neighbouring base symbols in the whole corpus, an upper bound. */
  #neighbourCount(): number {
    const { weightEnds, weights } = this.#corpus;
    let count = 0;
    for (const [i, end] of weightEnds.entries()) count += weights[i] * (end - (weightEnds[i - 1] ?? 1));
    return count;
  }

  /** Fills table, lists and queue from the cells with all pairs that occur `floor` times. */
  #collect(): void {
    const all = new PairTable();
    this.#eachPair((_, left, right, weight) => {
      const row = all.at(left, right);
      all.counts[row] += weight;
      all.ends[row]++;
    });
    this.#table = new PairTable();
    this.#queue = new PairQueue(this.#table);
    this.#placesEnd = 0;
    for (let row = 0; row < all.size; row++) {
      if (all.counts[row] >= this.#floor) {
        this.#keep(all.lefts[row], all.rights[row], all.counts[row], all.ends[row]);
      }
    }
    const table = this.#table;
    this.#eachPair((at, left, right) => {
      const row = table.find(left, right);
      if (row >= 0) this.#places[table.ends[row]++] = at;
    });
  }

  #eachPair(visit: (at: number, left: number, right: number, weight: number) => void): void {
    const { cells, border, weightEnds, weights } = this.#corpus;
    const lengths = this.#lengths;
    let at = 1;
    for (let i = 0; i < weights.length; i++) {
      const end = weightEnds[i];
      const weight = weights[i];
      while (at < end) {
        const left = cells[at];
        if (left === border) {
          at++;
          continue;
        }
        const next = at + lengths[left];
        const right = cells[next];
        if (right !== border) visit(at, left, right, weight);
        at = next;
      }
    }
  }

  /** A new row with room for a list of `places`, which is empty so far; the row goes into the queue. */
  #keep(left: number, right: number, count: number, places: number): number {
    const table = this.#table;
    const row = table.at(left, right);
    table.counts[row] = count;
    table.starts[row] = this.#placesEnd;
    table.ends[row] = this.#placesEnd;
    this.#placesEnd += places;
    if (this.#placesEnd > this.#places.length) {
      const grown = new Int32Array(Math.ceil(1.5 * this.#placesEnd));
      grown.set(this.#places);
      this.#places = grown;
    }
    this.#queue.push(row);
    return row;
  }

  #merge(row: number, merged: number): void {
    const table = this.#table;
    const left = table.lefts[row];
    const right = table.rights[row];
    const start = table.starts[row];
    const found = this.#rewrite(start, table.ends[row], left, right, merged);
    this.#count(left, right, merged);
    table.counts[row] = 0;
    this.#list(start, found, merged);
    this.#left.clear();
    this.#right.clear();
  }

  /** Writes the merged symbol over every place where the pair still stands, and notes what stands beside it. */
  #rewrite(start: number, end: number, left: number, right: number, merged: number): number {
    const { border, hole, weightEnds, weights } = this.#corpus;
    const cells: Cells = this.#corpus.cells;
    const places = this.#places;
    const before = this.#left;
    const after = this.#right;
    const leftLength = this.#lengths[left];
    const length = this.#lengths[merged];
    let weightIndex = 0;
    let kept = start;
    for (let i = start; i < end; i++) {
      const at = places[i];
      if (cells[at] !== left || cells[at + leftLength] !== right) continue;
      while (at >= weightEnds[weightIndex]) weightIndex++;
      const weight = weights[weightIndex];
      cells[at + leftLength - 1] = hole;
      cells[at + leftLength] = hole;
      cells[at] = merged;
      cells[at + length - 1] = merged;
      places[kept++] = at;
      const previous = cells[at - 1];
      if (previous !== border) before.add(previous, weight);
      const next = cells[at + length];
      if (next !== border) after.add(next, weight);
    }
    return kept;
  }

  /** Takes pairs away that the merge broke up, and keeps those of its symbol that are worth it. */
  #count(left: number, right: number, merged: number): void {
    const table = this.#table;
    const before = this.#left;
    const after = this.#right;
    const floor = this.#floor;
    // where the pair stood twice in a row, the second was met beside the first one's merged symbol
    const twice = before.weights[merged];
    for (let i = 0; i < before.size; i++) {
      const symbol = before.symbols[i];
      if (symbol === merged) continue;
      const row = table.find(symbol, left);
      if (row >= 0) table.counts[row] -= before.weights[symbol];
      const isKept = before.weights[symbol] >= floor;
      before.rows[symbol] = isKept ? this.#keep(symbol, merged, before.weights[symbol], before.places[symbol]) : -1;
    }
    for (let i = 0; i < after.size; i++) {
      const symbol = after.symbols[i];
      const row = table.find(right, symbol);
      if (row >= 0) table.counts[row] -= after.weights[symbol];
      const count = after.weights[symbol] - (symbol === left ? twice : 0);
      after.rows[symbol] = count >= floor ? this.#keep(merged, symbol, count, after.places[symbol]) : -1;
    }
    after.rows[merged] = twice >= floor ? this.#keep(merged, merged, twice, before.places[merged]) : -1;
  }

  /** Lists the places of the new pairs. */
  #list(start: number, end: number, merged: number): void {
    const { cells, border } = this.#corpus;
    const places = this.#places;
    const lengths = this.#lengths;
    const { ends } = this.#table;
    const before = this.#left.rows;
    const after = this.#right.rows;
    const length = lengths[merged];
    for (let i = start; i < end; i++) {
      const at = places[i];
      const previous = cells[at - 1];
      // of two merged symbols in a row the left one lists the pair
      if (previous !== border && previous !== merged && before[previous] >= 0) {
        places[ends[before[previous]]++] = at - lengths[previous];
      }
      const next = cells[at + length];
      if (next !== border && after[next] >= 0) places[ends[after[next]]++] = at;
    }
  }
}

/** Sums by symbol that are cleared in the time it took to fill them. */
class Neighbours {
  readonly weights: Float64Array;
  readonly places: Int32Array;
  readonly rows: Int32Array;
  readonly symbols: Int32Array;
  size = 0;

  constructor(idCount: number) {
    this.weights = new Float64Array(idCount);
    this.places = new Int32Array(idCount);
    this.rows = new Int32Array(idCount).fill(-1);
    this.symbols = new Int32Array(idCount);
  }

  add(symbol: number, weight: number): void {
    if (this.places[symbol]++ === 0) this.symbols[this.size++] = symbol;
    this.weights[symbol] += weight;
  }

  clear(): void {
    for (let i = 0; i < this.size; i++) {
      this.weights[this.symbols[i]] = 0;
      this.places[this.symbols[i]] = 0;
    }
    this.size = 0;
  }
}
