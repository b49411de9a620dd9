// Documents that say nearly the same, among any number of them: MinHash (Broder 1997) with banding (Leskovec, Rajaraman,
// Ullman, "Mining of Massive Datasets", 3.4) finds pairs that may be alike, their shingles decide, and pairs join into
// clusters. Two documents of Jaccard index s are looked at with probability 1 - (1 - s^4)^32: 0.98 at 0.6, 0.9998 at 0.7.
// Band keys lie in a file, 128 bytes a document; memory holds 40 bytes a document and one band.
import { philox } from "../../base/random.ts";
import type { ByteSource } from "../../base/source.ts";
import { jaccard, mix } from "./shingles.ts";

export const BANDS = 32;
const ROWS = 4; // hashes that must all agree for a band to
export const BAND_KEY_BYTES = BANDS * 4;

const seeds = new Int32Array(BANDS * ROWS);
const factors = new Int32Array(BANDS * ROWS);
for (let i = 0; i < seeds.length; i++) {
  const [seed, factor] = philox(0x11a46, 0, i); // any numbers, the same for ever
  seeds[i] = seed;
  factors[i] = factor | 1;
}

/** Keys (BANDS) of a document by its shingles: documents that agree in one of them may be alike. */
export function bandKeys(shingles: Int32Array): Uint32Array {
  const keys = new Uint32Array(BANDS);
  for (let band = 0; band < BANDS; band++) {
    let key = band;
    for (let row = band * ROWS; row < (band + 1) * ROWS; row++) {
      const seed = seeds[row];
      const factor = factors[row];
      let least = 0x7fffffff;
      for (let i = 0; i < shingles.length; i++) {
        let hash = Math.imul(shingles[i] ^ seed, factor);
        hash = hash ^ (hash >>> 15); // the low bits of a product know little of the high ones
        if (hash < least) least = hash;
      }
      key = mix(Math.imul(key, 31) + least);
    }
    keys[band] = key;
  }
  return keys;
}

/** Sets of documents that join as pairs come. */
export interface Clusters {
  /** The first document of the cluster that `document` is in. */
  first(document: number): number;
  join(a: number, b: number): void;
}

/** `count` documents, each a cluster of its own. */
export function createClusters(count: number): Clusters {
  const parents = Uint32Array.from({ length: count }, (_, i) => i);
  const first = (document: number): number => {
    let root = document;
    while (parents[root] !== root) root = parents[root];
    for (let at = document; at !== root;) {
      const next = parents[at];
      parents[at] = root;
      at = next;
    }
    return root;
  };
  return {
    first,
    join(a, b) {
      const [x, y] = [first(a), first(b)];
      parents[Math.max(x, y)] = Math.min(x, y); // so that a root is the first of its documents
    },
  };
}

export interface ClusterInput {
  /** Band keys of all documents: row `i` of BAND_KEY_BYTES is document i's. */
  readonly keys: ByteSource;
  /** How many shingles each document has. Documents without any are like none. */
  readonly shingleCounts: Uint32Array;
  /** The shingles of a document, ascending. */
  readonly shingles: (document: number) => Promise<Int32Array>;
  /** Documents are alike from this Jaccard index on. */
  readonly threshold: number;
  readonly onBand?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** Joins every two documents that share a band key and are alike. Also tells how many pairs were compared. */
export async function findClusters(input: ClusterInput): Promise<{ clusters: Clusters; compared: number }> {
  const { shingleCounts: counts, shingles, threshold } = input;
  const clusters = createClusters(counts.length);
  let compared = 0;
  const table = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(16, counts.length * 2))));
  const following = new Int32Array(counts.length); // the document before of the same key
  const isTwin = new Uint8Array(counts.length); // has an earlier document's shingles, which stands for it from then on
  for (let band = 0; band < BANDS; band++) {
    input.signal?.throwIfAborted();
    const keys = await readBand(input.keys, band, counts.length);
    table.fill(-1);
    for (let document = 0; document < counts.length; document++) {
      if (counts[document] === 0 || isTwin[document]) continue;
      const slot = slotOf(table, keys, keys[document]);
      following[document] = table[slot];
      table[slot] = document;
      for (let other = following[document]; other >= 0; other = following[other]) {
        if (clusters.first(other) === clusters.first(document)) continue;
        const [least, most] = [counts[document], counts[other]].sort((a, b) => a - b);
        if (least / most < threshold) continue; // then the index is smaller too
        compared++;
        const alike = jaccard(await shingles(document), await shingles(other));
        if (alike >= threshold) clusters.join(document, other);
        if (alike === 1) isTwin[document] = 1;
      }
    }
    input.onBand?.(band + 1);
  }
  return { clusters, compared };
}

/** The place of a key in an open table of documents: where a document of that key is, or an empty one. */
function slotOf(table: Int32Array, keys: Uint32Array, key: number): number {
  const mask = table.length - 1;
  let slot = mix(key) & mask;
  while (table[slot] >= 0 && keys[table[slot]] !== key) slot = (slot + 1) & mask;
  return slot;
}

const DOCUMENTS_AT_ONCE = 1 << 15;

async function readBand(source: ByteSource, band: number, count: number): Promise<Uint32Array> {
  const keys = new Uint32Array(count);
  for (let first = 0; first < count; first += DOCUMENTS_AT_ONCE) {
    const rows = Math.min(DOCUMENTS_AT_ONCE, count - first);
    const block = new Uint32Array(rows * BANDS);
    await source.read(first * BAND_KEY_BYTES, new Uint8Array(block.buffer));
    for (let row = 0; row < rows; row++) keys[first + row] = block[row * BANDS + band];
  }
  return keys;
}
