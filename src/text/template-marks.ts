// Keeps what a person wrote apart from what a template wrote, in one rendered string: characters of the messages that
// control tokens begin or end with are swapped, one for one, for private-use stand-ins before rendering, and swapped back
// after; where stand-ins stood, the encoder makes no control token. How the two ways are used: template.ts.

export interface Marking {
  /** The text as the template is to see it. */
  mark(text: string): string;
  /** A rendering with the characters swapped back, and the ascending UTF-16 offsets of those. */
  unmark(rendered: string): { text: string; plain: number[] };
}

/** The UTF-16 units of the characters that the control tokens' texts begin and end with. */
function edgeUnits(controlTexts: Iterable<string>): ReadonlySet<string> {
  const edges = new Set<string>();
  for (const text of controlTexts) {
    const characters = Array.from(text);
    for (const unit of (characters.at(0) ?? "") + (characters.at(-1) ?? "")) edges.add(unit);
  }
  return new Set([...edges].flatMap((character) => character.split("")));
}

/**
 * "strict" swaps every edge unit of a text; "narrow" only those inside of a control token's whole text, and inside of a
 * part of one that the text ends or begins with. Stand-ins are units that `avoid` (all that the template is given, and
 * the template) does not have. Undefined when there are not enough of these.
 */
export function createMarking(
  controlTexts: readonly string[],
  avoid: string,
  how: "strict" | "narrow",
): Marking | undefined {
  const edges = [...edgeUnits(controlTexts)];
  const standIns = unusedUnits(edges.length, avoid);
  if (standIns.length < edges.length) return undefined;
  const swapped = new Map(edges.map((edge, index) => [edge, standIns[index]]));
  const original = new Map(edges.map((edge, index) => [standIns[index], edge]));
  const swap = (text: string): string =>
    text
      .split("")
      .map((unit) => swapped.get(unit) ?? unit)
      .join("");
  const ranges = how === "strict" ? wholeRange : controlRanges(controlTexts);

  return {
    mark(text) {
      let marked = "";
      let done = 0;
      for (const [start, end] of ranges(text)) {
        marked += text.slice(done, start) + swap(text.slice(Math.max(start, done), end));
        done = Math.max(done, end);
      }
      return marked + text.slice(done);
    },
    unmark(rendered) {
      const plain: number[] = [];
      const units = rendered.split("");
      for (const [offset, unit] of units.entries()) {
        const edge = original.get(unit);
        if (edge === undefined) continue;
        plain.push(offset);
        units[offset] = edge;
      }
      return { text: units.join(""), plain };
    },
  };
}

const wholeRange = (text: string): [number, number][] => [[0, text.length]];

/** Finds, in order of their starts, the ranges of a text that spell a control token or an overlap with its neighbours. */
function controlRanges(controlTexts: readonly string[]): (text: string) => [number, number][] {
  const known = new Set(controlTexts);
  const lengths = new Map<string, Set<number>>(); // by first unit
  for (const text of known) lengths.set(text[0], (lengths.get(text[0]) ?? new Set()).add(text.length));

  return (text) => {
    const found: [number, number][] = [];
    const trimmed = text.trim();
    const first = text.indexOf(trimmed);
    const head = longestOverlap(controlTexts, (part) => trimmed.startsWith(part), "end");
    if (head > 0) found.push([first, first + head]);
    for (let start = 0; start < text.length; start++) {
      for (const length of lengths.get(text[start]) ?? []) {
        if (known.has(text.slice(start, start + length))) found.push([start, start + length]);
      }
    }
    const tail = longestOverlap(controlTexts, (part) => trimmed.endsWith(part), "start");
    if (tail > 0) found.push([first + trimmed.length - tail, first + trimmed.length]);
    return found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  };
}

/** Units of the longest proper start (or end) of a control text for which `fits`. */
function longestOverlap(texts: readonly string[], fits: (part: string) => boolean, side: "start" | "end"): number {
  let longest = 0;
  for (const text of texts) {
    for (let units = text.length - 1; units > longest; units--) {
      if (fits(side === "start" ? text.slice(0, units) : text.slice(-units))) longest = units;
    }
  }
  return longest;
}

/** The first `count` private-use units that `text` does not have. */
function unusedUnits(count: number, text: string): string[] {
  const units: string[] = [];
  for (let code = 0xe000; code <= 0xf8ff && units.length < count; code++) {
    const unit = String.fromCharCode(code);
    if (!text.includes(unit)) units.push(unit);
  }
  return units;
}
