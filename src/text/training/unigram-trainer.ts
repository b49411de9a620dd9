// Learns a unigram vocabulary (Kudo 2018): begin with many pieces; by turns estimate their probabilities (expectation
// maximisation) and drop the quarter that the texts miss least, until few enough are left. Characters are never dropped.
import { PieceTrie } from "./piece-trie.ts";
import type { SymbolCells } from "./symbol-cells.ts";
import { UnigramLattice, WORD_LENGTH_MAX } from "./unigram-lattice.ts";
import { findSeeds } from "./unigram-seeds.ts";

export interface UnigramOptions {
  readonly alphabetCount: number;
  /** Pieces wanted, characters included. */
  readonly piecesMax: number;
  readonly countMin: number;
  /** Called after each estimate with how many pieces are left. */
  readonly onRound?: (pieces: number) => void;
}

export interface UnigramPiece {
  /** Characters by their number in the alphabet. */
  readonly symbols: readonly number[];
  /** Natural logarithm of its probability. */
  readonly score: number;
}

const SEEDS_PER_PIECE = 12;
const ESTIMATES_PER_ROUND = 2;
const KEPT_SHARE = 0.75;
/** What is dropped at the end goes by probability alone, for which some more are left over. */
const LEFT_OVER = 1.1;
/** Pieces expected less often than this in all texts are dropped at once. */
const EXPECTED_MIN = 0.5;

/** Pieces by falling score; of equal scores the first found. */
export function learnUnigram(corpus: SymbolCells, options: UnigramOptions): UnigramPiece[] {
  const { alphabetCount, piecesMax, countMin, onRound } = options;
  const wanted = Math.max(piecesMax, alphabetCount);
  let pieces = seedPieces(corpus, alphabetCount, countMin, SEEDS_PER_PIECE * wanted);
  const leftOver = Math.ceil(LEFT_OVER * wanted);
  for (;;) {
    for (let i = 0; i < ESTIMATES_PER_ROUND; i++) pieces = estimate(corpus, pieces, alphabetCount);
    onRound?.(pieces.length);
    if (pieces.length <= leftOver) break;
    pieces = prune(corpus, pieces, alphabetCount, Math.max(leftOver, Math.floor(KEPT_SHARE * pieces.length)));
  }
  const longer = byFallingScore(pieces.slice(alphabetCount)).slice(0, wanted - alphabetCount);
  return byFallingScore([...pieces.slice(0, alphabetCount), ...longer]);
}

const byFallingScore = (pieces: readonly UnigramPiece[]): UnigramPiece[] =>
  pieces.toSorted((a, b) => b.score - a.score);

/** Characters in the alphabet's order, then seeds, each scored by the characters that it covers. */
function seedPieces(corpus: SymbolCells, alphabetCount: number, countMin: number, limit: number): UnigramPiece[] {
  const { cells } = corpus;
  const counts = new Float64Array(alphabetCount);
  eachWord(corpus, (at, length, weight) => {
    for (let i = at; i < at + length; i++) counts[cells[i]] += weight;
  });
  const seeds = findSeeds(corpus, countMin, Math.max(0, limit - alphabetCount));
  const pieces = [
    ...Array.from(counts, (count, symbol) => ({ symbols: [symbol], score: Math.max(count, EXPECTED_MIN) })),
    ...seeds.map(({ at, length, count }) => ({
      symbols: Array.from(cells.subarray(at, at + length)),
      score: count * length,
    })),
  ];
  const sum = pieces.reduce((total, { score }) => total + score, 0);
  return pieces.map(({ symbols, score }) => ({ symbols, score: Math.log(score / sum) }));
}

/** Words between borders; a long one comes in parts. */
function eachWord(corpus: SymbolCells, visit: (at: number, length: number, weight: number) => void): void {
  const { cells, border, weightEnds, weights } = corpus;
  let weightIndex = 0;
  let from = 1;
  for (let at = 1; at < cells.length; at++) {
    const isBorder = cells[at] === border;
    if (!isBorder && at - from < WORD_LENGTH_MAX) continue;
    while (from >= weightEnds[weightIndex] && weightIndex + 1 < weights.length) weightIndex++;
    if (at > from) visit(from, at - from, weights[weightIndex]);
    from = isBorder ? at + 1 : at;
  }
}

/** A lattice whose scale fits these texts. */
function latticeOf(corpus: SymbolCells, pieces: readonly UnigramPiece[]): UnigramLattice {
  const trie = new PieceTrie();
  for (const [piece, { symbols }] of pieces.entries()) trie.add(symbols, 0, symbols.length, piece);
  const scores = Float64Array.from(pieces, ({ score }) => score);
  const lengths = Int32Array.from(pieces, ({ symbols }) => symbols.length);
  let nats = 0;
  let characters = 0;
  const plain = new UnigramLattice(trie, scores, lengths, 0);
  eachWordOf(corpus, SCALE_WORDS, (at, length) => {
    characters += length;
    plain.best(corpus.cells, at, length, (piece) => (nats -= scores[piece]));
  });
  return new UnigramLattice(trie, scores, lengths, characters === 0 ? 0 : nats / characters);
}

const SCALE_WORDS = 2000;

/** Some words, evenly from all. */
function eachWordOf(corpus: SymbolCells, count: number, visit: (at: number, length: number) => void): void {
  let words = 0;
  eachWord(corpus, () => words++);
  const step = Math.max(1, Math.floor(words / count));
  let index = 0;
  eachWord(corpus, (at, length) => {
    if (index++ % step === 0) visit(at, length);
  });
}

function estimate(corpus: SymbolCells, pieces: readonly UnigramPiece[], alphabetCount: number): UnigramPiece[] {
  const lattice = latticeOf(corpus, pieces);
  const expected = new Float64Array(pieces.length);
  eachWord(corpus, (at, length, weight) => lattice.expect(corpus.cells, at, length, weight, expected));
  const kept = pieces.flatMap(({ symbols }, piece) => {
    const isCharacter = piece < alphabetCount;
    if (!isCharacter && expected[piece] < EXPECTED_MIN) return [];
    return [{ symbols, count: Math.max(expected[piece], EXPECTED_MIN) }];
  });
  // with digamma in place of log, a sparse prior takes a little from every piece, most from the rare ones (SentencePiece)
  const all = digamma(kept.reduce((sum, { count }) => sum + count, 0));
  return kept.map(({ symbols, count }) => ({ symbols, score: digamma(count) - all }));
}

/** Keeps `size` pieces: characters, and those without which the texts would lose most. */
function prune(
  corpus: SymbolCells,
  pieces: readonly UnigramPiece[],
  alphabetCount: number,
  size: number,
): UnigramPiece[] {
  const lattice = latticeOf(corpus, pieces);
  const counts = new Float64Array(pieces.length);
  eachWord(corpus, (at, length, weight) =>
    lattice.best(corpus.cells, at, length, (piece) => (counts[piece] += weight)),
  );
  const sum = counts.reduce((total, count) => total + count, 0);
  const losses: { readonly piece: number; readonly loss: number }[] = [];
  for (let piece = alphabetCount; piece < pieces.length; piece++) {
    const count = counts[piece];
    if (count === 0) continue;
    const { symbols } = pieces[piece];
    const others: number[] = [];
    lattice.best(symbols, 0, symbols.length, (other) => others.push(other), piece);
    const sumWithout = sum + count * (others.length - 1);
    const without = others.reduce((total, other) => total + Math.log((counts[other] + count) / sumWithout), 0);
    losses.push({ piece, loss: count * (Math.log(count / sum) - without) });
  }
  losses.sort((a, b) => b.loss - a.loss || a.piece - b.piece);
  const kept = losses.slice(0, Math.max(0, size - alphabetCount)).map(({ piece }) => piece);
  kept.sort((a, b) => a - b);
  return [...pieces.slice(0, alphabetCount), ...kept.map((piece) => pieces[piece])];
}

/** The logarithm of the gamma function's derivative, by its asymptotic series (Abramowitz and Stegun 6.3.18). */
export function digamma(value: number): number {
  let x = value;
  let result = 0;
  while (x < 7) result -= 1 / x++; // the series has ten digits from there
  const inverse = 1 / (x * x);
  return result + Math.log(x) - 0.5 / x - inverse * (1 / 12 - inverse * (1 / 120 - inverse / 252));
}
