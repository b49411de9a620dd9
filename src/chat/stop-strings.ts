// Cuts a streamed text before the first stop string, wherever the stream is cut: holds back no more than could be the
// beginning of one. The first is the one that is complete first; of those complete at once, the longest. A part of the
// stream is a piece of text with whatever it carries (ids, log-probabilities).

export interface StreamPart<T> {
  readonly text: string;
  readonly items: readonly T[];
}

interface Waiting<T> {
  readonly start: number;
  readonly end: number;
  readonly items: readonly T[];
}

/** One owner, one stream. */
export class StopStrings<T> {
  readonly #stops: readonly string[];
  /** Text that may be the beginning of a stop string. */
  #held = "";
  /** Parts whose items are not yet given out, and where their text starts, counted from the held text's start. */
  #waiting: Waiting<T>[] = [];
  /** The stop string that was found; the stream is over then. */
  found: string | undefined;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /**
   * Takes the next part, gives what can no longer belong to a stop string. Items come with the first of their text;
   * those whose text lies in the stop string or behind it never come.
   */
  push(part: StreamPart<T>): StreamPart<T> {
    if (this.found !== undefined) return { text: "", items: [] };
    const start = this.#held.length;
    this.#held += part.text;
    this.#waiting.push({ start, end: this.#held.length, items: part.items });
    const match = this.#firstMatch();
    if (match === undefined) return this.#give(this.#held.length - this.#prefixLength());
    this.found = match.stop;
    return this.#give(match.start);
  }

  /** The stream ended: what was held back is text after all. */
  end(): StreamPart<T> {
    return this.found === undefined ? this.#give(this.#held.length) : { text: "", items: [] };
  }

  #give(length: number): StreamPart<T> {
    const text = this.#held.slice(0, length);
    const items: T[] = [];
    const rest: Waiting<T>[] = [];
    for (const part of this.#waiting) {
      const isEmpty = part.start === part.end;
      if (part.start < length || (isEmpty && part.start === length)) items.push(...part.items);
      else rest.push({ start: part.start - length, end: part.end - length, items: part.items });
    }
    this.#held = this.#held.slice(length);
    this.#waiting = rest;
    return { text, items };
  }

  #firstMatch(): { start: number; stop: string } | undefined {
    let first: { start: number; stop: string } | undefined;
    for (const stop of this.#stops) {
      const start = this.#held.indexOf(stop);
      if (start < 0) continue;
      const later = first === undefined ? -1 : start + stop.length - (first.start + first.stop.length);
      if (later < 0 || (later === 0 && stop.length > first!.stop.length)) first = { start, stop };
    }
    return first;
  }

  /** Length of the longest end of the held text that begins a stop string. */
  #prefixLength(): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > longest; length--) {
        if (this.#held.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
