// A trie over pieces of cells: which pieces begin at a place. Children are found by hash, in typed arrays.
import { PairTable } from "./pair-table.ts";

export class PieceTrie {
  readonly #children = new PairTable();
  /** Piece + 1 by node; a node is a row of `children` + 1, the root is 0. */
  #pieces = new Int32Array(1024);

  add(cells: ArrayLike<number>, at: number, length: number, piece: number): void {
    let node = 0;
    for (let i = at; i < at + length; i++) node = this.#children.at(node, cells[i]) + 1;
    if (node >= this.#pieces.length) {
      const grown = new Int32Array(2 * node);
      grown.set(this.#pieces);
      this.#pieces = grown;
    }
    this.#pieces[node] = piece + 1;
  }

  /** The child of a node, -1 when there is none. */
  child(node: number, symbol: number): number {
    const row = this.#children.find(node, symbol);
    return row < 0 ? -1 : row + 1;
  }

  /** The piece that ends at a node, -1 when none does. */
  pieceAt(node: number): number {
    return node < this.#pieces.length ? this.#pieces[node] - 1 : -1;
  }
}
