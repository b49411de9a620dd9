// The distinct pieces of a corpus as one array of cells for merging. A piece is its symbols side by side with a border on
// either side; a symbol made of n base symbols takes n cells: its id stands in the first and the last, holes between. So
// the neighbours of a symbol are found by the lengths of symbols alone, and merging moves nothing.
// Pieces lie in order of falling count, so that one pass over ascending places meets each weight once.
import { UnsupportedError } from "../../base/errors.ts";
import type { PieceCounts } from "./piece-counts.ts";

export type Cells = Uint16Array | Int32Array;

/** What a fill writes for a place that no symbol reaches across. */
export const BORDER = -1;
const HOLE = -2;

export interface SymbolCells {
  readonly cells: Cells;
  /** Values of a border and of a hole in `cells`: above all ids in the narrow one. */
  readonly border: number;
  readonly hole: number;
  /** Places below `weightEnds[i]`, from `weightEnds[i - 1]` on, are of pieces that occur `weights[i]` times. */
  readonly weightEnds: Float64Array;
  readonly weights: Float64Array;
}

/** Writes the base symbols of units[start, end) to `into` from `at` on; returns where they end. */
export type FillSymbols = (units: Uint16Array, start: number, end: number, into: Cells, at: number) => number;

/** Ids that fit two bytes, of which two values mean border and hole. */
const SMALL_IDS = 0xfffe;
/** Places are kept in 32 bits. */
const CELLS_MAX = 2 ** 31 - 1;

/**
 * Lays out pieces. Throws UnsupportedError where they are too many. `symbolsPerUnit`: base symbols that a UTF-16 unit becomes, at most; `idCount`: ids that merging may
 * come to use.
 */
export function layOutPieces(
  pieces: PieceCounts,
  fill: FillSymbols,
  symbolsPerUnit: number,
  idCount: number,
): SymbolCells {
  const order = byFallingCount(pieces.counts, pieces.size);
  const room = 1 + pieces.size + symbolsPerUnit * pieces.unitCount;
  if (room > CELLS_MAX) {
    throw new UnsupportedError(`The texts have ${pieces.size} different pieces, too many to merge at once.`, {
      hint: "Train on a part of them: a vocabulary needs no more than a few gigabytes of text.",
    });
  }
  const isSmall = idCount <= SMALL_IDS;
  let cells: Cells = isSmall ? new Uint16Array(room) : new Int32Array(room);
  const [border, hole] = isSmall ? [BORDER & 0xffff, HOLE & 0xffff] : [BORDER, HOLE];
  const ends: number[] = [];
  const weights: number[] = [];
  let at = 0;
  cells[at++] = BORDER;
  for (const piece of order) {
    at = fill(pieces.units, pieces.starts[piece], pieces.starts[piece + 1], cells, at);
    cells[at++] = BORDER;
    if (weights.at(-1) !== pieces.counts[piece]) {
      weights.push(pieces.counts[piece]);
      ends.push(at);
    } else ends[ends.length - 1] = at;
  }
  cells = cells.subarray(0, at);
  return { cells, border, hole, weightEnds: Float64Array.from(ends), weights: Float64Array.from(weights) };
}

/** Indices in order of falling count, equal ones as they come. */
function byFallingCount(counts: Float64Array, size: number): Float64Array {
  // one number to sort by: counts stay below 2^53 / size in any corpus that can be read
  const keys = new Float64Array(size);
  for (let i = 0; i < size; i++) keys[i] = i - counts[i] * size;
  keys.sort();
  for (let i = 0; i < size; i++) keys[i] = ((keys[i] % size) + size) % size;
  return keys;
}
