// All ways to cut a word into pieces, as sums over paths (Kudo 2018, https://aclanthology.org/P18-1007): how often each
// piece is expected to occur, and the best way alone. Works on words of up to WORD_LENGTH_MAX characters.
import type { PieceTrie } from "./piece-trie.ts";
import { PIECE_LENGTH_MAX } from "./unigram-seeds.ts";

/** Longer words are trained on in parts, so that products of probabilities stay inside a double. */
export const WORD_LENGTH_MAX = 256;

export class UnigramLattice {
  readonly #trie: PieceTrie;
  /** Natural logarithms of the pieces' probabilities. */
  readonly #scores: Float64Array;
  /** Probabilities, times `#scale` for each character: a path's product has the same factor whatever its pieces are. */
  readonly #scaled: Float64Array;
  readonly #forward = new Float64Array(WORD_LENGTH_MAX + 1);
  readonly #backward = new Float64Array(WORD_LENGTH_MAX + 1);
  readonly #from = new Int32Array(WORD_LENGTH_MAX + 1);
  readonly #piece = new Int32Array(WORD_LENGTH_MAX + 1);
  readonly #edgeStarts = new Int32Array(WORD_LENGTH_MAX * PIECE_LENGTH_MAX);
  readonly #edgeEnds = new Int32Array(WORD_LENGTH_MAX * PIECE_LENGTH_MAX);
  readonly #edgePieces = new Int32Array(WORD_LENGTH_MAX * PIECE_LENGTH_MAX);
  #edges = 0;

  /** `natsPerCharacter`: of the best cuts of these texts, such that sums neither vanish nor overflow. */
  constructor(trie: PieceTrie, scores: Float64Array, lengths: Int32Array, natsPerCharacter: number) {
    this.#trie = trie;
    this.#scores = scores;
    this.#scaled = scores.map((score, piece) => Math.exp(score + natsPerCharacter * lengths[piece]));
  }

  /** Adds to `expected` how often each piece occurs in cells[at, at + length), `weight` times. Returns the likelihood's log, scaled. */
  expect(cells: ArrayLike<number>, at: number, length: number, weight: number, expected: Float64Array): number {
    this.#findEdges(cells, at, length);
    const forward = this.#forward.fill(0, 0, length + 1);
    const backward = this.#backward.fill(0, 0, length + 1);
    const [starts, ends, pieces, scaled] = [this.#edgeStarts, this.#edgeEnds, this.#edgePieces, this.#scaled];
    forward[0] = 1;
    for (let i = 0; i < this.#edges; i++) forward[ends[i]] += forward[starts[i]] * scaled[pieces[i]];
    backward[length] = 1;
    for (let i = this.#edges - 1; i >= 0; i--) backward[starts[i]] += backward[ends[i]] * scaled[pieces[i]];
    const share = weight / forward[length];
    for (let i = 0; i < this.#edges; i++) {
      expected[pieces[i]] += share * forward[starts[i]] * scaled[pieces[i]] * backward[ends[i]];
    }
    return Math.log(forward[length]);
  }

  /** The best way to cut cells[at, at + length); `except`: a piece that must not be used. Calls `onPiece` from last to first. */
  best(cells: ArrayLike<number>, at: number, length: number, onPiece: (piece: number) => void, except = -1): void {
    this.#findEdges(cells, at, length);
    const scores = this.#forward.fill(-Infinity, 0, length + 1);
    scores[0] = 0;
    for (let i = 0; i < this.#edges; i++) {
      const piece = this.#edgePieces[i];
      const score = scores[this.#edgeStarts[i]] + this.#scores[piece];
      const end = this.#edgeEnds[i];
      if (score <= scores[end] || piece === except) continue;
      scores[end] = score;
      this.#from[end] = this.#edgeStarts[i];
      this.#piece[end] = piece;
    }
    for (let end = length; end > 0; end = this.#from[end]) onPiece(this.#piece[end]);
  }

  /** Edges in ascending order of where they begin. */
  #findEdges(cells: ArrayLike<number>, at: number, length: number): void {
    const trie = this.#trie;
    this.#edges = 0;
    for (let start = 0; start < length; start++) {
      let node = 0;
      const last = Math.min(length, start + PIECE_LENGTH_MAX);
      for (let end = start + 1; end <= last; end++) {
        node = trie.child(node, cells[at + end - 1]);
        if (node < 0) break;
        const piece = trie.pieceAt(node);
        if (piece < 0) continue;
        this.#edgeStarts[this.#edges] = start;
        this.#edgeEnds[this.#edges] = end;
        this.#edgePieces[this.#edges++] = piece;
      }
    }
  }
}
