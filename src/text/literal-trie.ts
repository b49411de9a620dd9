// Longest-match search for a set of literal strings over UTF-16 units: special and user-defined tokens in a text, word
// pieces, unigram pieces. Children live in one hash table of (node, unit); memory is proportional to the strings.

const NONE = -1;

export class LiteralTrie {
  /** (node << 16 | unit) packed as two words and the child: rows of 3. */
  #rows = new Int32Array(3 * 1024).fill(NONE);
  #mask = 1023;
  #edges = 0;
  #values = new Int32Array(512).fill(NONE);
  #nodes = 1;
  /** Which units begin a string: most positions of a text are rejected by one look. */
  #firstUnits = new Uint8Array(0x10000);
  size = 0;

  /** Adds a string with a value ≥ 0; of equal strings the first stays. Empty strings are not added. */
  add(text: string, value: number): void {
    if (text.length === 0) return;
    let node = 0;
    this.#firstUnits[text.charCodeAt(0)] = 1;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      const child = this.child(node, unit);
      node = child === NONE ? this.#addEdge(node, unit) : child;
    }
    if (this.#values[node] !== NONE) return;
    this.#values[node] = value;
    this.size++;
  }

  /** Whether a string of the set begins with this unit. */
  canStart(unit: number): boolean {
    return this.#firstUnits[unit] === 1;
  }

  /** The node below `node` (0 is the root) by a unit, or -1. */
  child(node: number, unit: number): number {
    const rows = this.#rows;
    let slot = hash(node, unit) & this.#mask;
    for (;;) {
      const row = slot * 3;
      if (rows[row] === node && rows[row + 1] === unit) return rows[row + 2];
      if (rows[row] === NONE) return NONE;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** The value of the string that ends at a node, or -1. */
  valueAt(node: number): number {
    return this.#values[node];
  }

  /** The value of the string that is text[start, end), or -1. */
  valueOf(text: string, start: number, end: number): number {
    let node = 0;
    for (let i = start; i < end; i++) {
      node = this.child(node, text.charCodeAt(i));
      if (node === NONE) return NONE;
    }
    return this.#values[node];
  }

  /** Length of the longest string of the set at `at`, within `end`; 0 when there is none. Its value: `matched`. */
  longestMatch(text: string, at: number, end: number): number {
    let node = 0;
    let length = 0;
    for (let i = at; i < end; i++) {
      node = this.child(node, text.charCodeAt(i));
      if (node === NONE) break;
      if (this.#values[node] !== NONE) {
        length = i + 1 - at;
        this.matched = this.#values[node]!;
      }
    }
    return length;
  }
  /** Value of the last string that `longestMatch` found. */
  matched = NONE;

  #addEdge(node: number, unit: number): number {
    const child = this.#nodes++;
    if (child === this.#values.length) {
      const grown = new Int32Array(child * 2).fill(NONE);
      grown.set(this.#values);
      this.#values = grown;
    }
    if (++this.#edges > this.#mask * 0.6) this.#grow();
    this.#insert(node, unit, child);
    return child;
  }

  #insert(node: number, unit: number, child: number): void {
    let slot = hash(node, unit) & this.#mask;
    while (this.#rows[slot * 3] !== NONE) slot = (slot + 1) & this.#mask;
    this.#rows[slot * 3] = node;
    this.#rows[slot * 3 + 1] = unit;
    this.#rows[slot * 3 + 2] = child;
  }

  #grow(): void {
    const old = this.#rows;
    this.#rows = new Int32Array(old.length * 2).fill(NONE);
    this.#mask = this.#mask * 2 + 1;
    for (let row = 0; row < old.length; row += 3) {
      if (old[row] !== NONE) this.#insert(old[row], old[row + 1], old[row + 2]);
    }
  }
}

function hash(node: number, unit: number): number {
  const mixed = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca77);
  return mixed ^ (mixed >>> 15);
}
