// Where values are needed: for every value the ranges of code between what sets and what reads it, holes left out. Walks
// the tree backwards once; what a loop reads before it sets is needed in all of it. On the way, now that it is known
// which sources are read for the last time, chooses among the ways of destructive instructions.
// Code number i has four moments: 4i reads what the result replaces, 4i + 1 sets that, 4i + 2 reads the rest, 4i + 3 sets.
import { type Code, type Item, type LoopRegion, type Program, type Source, type Way, eachRead } from "./code.ts";

export const READ_FIRST = 0;
export const SET_FIRST = 1;
export const READ = 2;
export const SET = 3;
export const MOMENTS = 4;

/** A value's life. Ranges are [from, to), ascending, flat. */
export interface Life {
  ranges: number[];
  /** Moments at which it is set. */
  sets: number[];
  /** Reads and sets, each as often as its loops are guessed to run. */
  weight: number;
}

export interface Lives {
  readonly lives: (Life | undefined)[];
  /** All code in its order. */
  readonly order: readonly Code[];
  /** How deep in loops each code stands. */
  readonly depths: readonly number[];
}

/** How often a loop is guessed to run. */
export const LOOP_TURNS = 8;

export function measureLives(program: Program): Lives {
  return new Walker(program).run();
}

interface Extent {
  first: number;
  end: number;
}

class Walker {
  readonly #program: Program;
  readonly #lives: (Life | undefined)[] = [];
  readonly #order: Code[] = [];
  readonly #depths: number[] = [];
  readonly #extents = new Map<readonly Item[], Extent>();
  readonly #exposed = new Map<LoopRegion, Set<number>>();
  /** Where the range that a live value is in ends. */
  readonly #ends: number[] = [];

  constructor(program: Program) {
    this.#program = program;
  }

  run(): Lives {
    const { items } = this.#program;
    this.#number(items, 0);
    this.#expose(items, new Set());
    this.#walk(items, new Set());
    for (const life of this.#lives) {
      if (life === undefined) continue;
      life.ranges.reverse(); // pairs were pushed backwards, end before start
      life.sets.reverse();
    }
    return { lives: this.#lives, order: this.#order, depths: this.#depths };
  }

  #number(items: readonly Item[], depth: number): void {
    const extent = { first: this.#order.length, end: 0 };
    this.#extents.set(items, extent);
    for (const item of items) {
      if (item.kind === "code") {
        item.at = this.#order.length;
        this.#order.push(item);
        this.#depths.push(depth);
      } else if (item.kind === "loop") {
        this.#number(item.body, depth + 1);
      } else {
        this.#number(item.body, depth);
        this.#number(item.otherwise, depth);
      }
    }
    extent.end = this.#order.length;
  }

  /** Makes of what is needed after some code what is needed before it, as far as loops of it need to know. */
  #expose(items: readonly Item[], needed: Set<number>): Set<number> {
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i];
      if (item.kind === "code") {
        if (item.result >= 0) needed.delete(item.result);
        eachRead(item, (id) => needed.add(id));
      } else if (item.kind === "loop") {
        const exposed = this.#expose(item.body, new Set());
        this.#exposed.set(item, exposed);
        for (const id of exposed) needed.add(id);
      } else {
        const other = this.#expose(item.otherwise, new Set(needed));
        this.#expose(item.body, needed);
        for (const id of other) needed.add(id);
      }
    }
    return needed;
  }

  #life(id: number): Life {
    return (this.#lives[id] ??= { ranges: [], sets: [], weight: 0 });
  }

  #open(id: number, end: number, live: Set<number>): void {
    if (live.has(id)) return;
    live.add(id);
    this.#ends[id] = end;
  }

  #close(id: number, start: number): void {
    const { ranges } = this.#life(id);
    const end = this.#ends[id];
    if (ranges.length > 0 && ranges[ranges.length - 1] <= end) ranges[ranges.length - 1] = start;
    else ranges.push(end, start);
  }

  #walk(items: readonly Item[], live: Set<number>): void {
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i];
      if (item.kind === "code") this.#code(item, live);
      else if (item.kind === "loop") this.#loop(item, live);
      else this.#branch(item.body, item.otherwise, live);
    }
    // what reads a value before anything set it would stay open: only in code that is wrong
  }

  #loop(region: LoopRegion, live: Set<number>): void {
    const { first, end } = this.#extents.get(region.body)!;
    const after = new Set(live);
    for (const id of this.#exposed.get(region)!) this.#open(id, end * MOMENTS, live);
    this.#walk(region.body, live);
    for (const id of after) this.#open(id, first * MOMENTS, live); // the loop may not run
  }

  #branch(body: readonly Item[], otherwise: readonly Item[], live: Set<number>): void {
    const { first } = this.#extents.get(body)!;
    const between = this.#extents.get(otherwise)!.first * MOMENTS;
    const after = new Set(live);
    this.#walk(otherwise, live);
    const inBody = new Set<number>();
    for (const id of after) {
      inBody.add(id);
      if (!live.has(id)) this.#ends[id] = between;
    }
    for (const id of live) if (!after.has(id)) this.#close(id, between);
    this.#walk(body, inBody);
    for (const id of inBody) live.add(id);
    for (const id of live) {
      if (inBody.has(id)) continue;
      this.#ends[id] = first * MOMENTS;
    }
  }

  #code(code: Code, live: Set<number>): void {
    const from = code.at * MOMENTS;
    const weight = LOOP_TURNS ** this.#depths[code.at];
    const { result } = code;
    const isNeeded = result >= 0 && live.delete(result);
    if (code.ways !== undefined || code.isSum) choose(code, live, this.#program.constants);
    const early = code.tied || code.isCopy;
    if (result >= 0) {
      const start = from + (early ? SET_FIRST : SET);
      if (!isNeeded) this.#ends[result] = from + SET + 1;
      this.#close(result, start);
      const life = this.#life(result);
      if (code.tied) life.sets.push(from + SET);
      life.sets.push(start);
      life.weight += weight;
    }
    // later reads first: they decide where the range ends
    const { sources } = code;
    for (let i = early ? 1 : 0; i < sources.length; i++) this.#read(sources[i], from + READ, weight, live);
    if (code.mask >= 0) this.#readValue(code.mask, from + READ, weight, live);
    if (!early || sources.length === 0) return;
    this.#read(sources[0], from + (sources[0].kind === "value" ? READ_FIRST : READ), weight, live);
  }

  #read(source: Source, moment: number, weight: number, live: Set<number>): void {
    if (source.kind === "value") this.#readValue(source.id, moment, weight, live);
    else if (source.kind === "place") {
      if (source.base >= 0) this.#readValue(source.base, moment, weight, live);
      if (source.index >= 0) this.#readValue(source.index, moment, weight, live);
    }
  }

  #readValue(id: number, moment: number, weight: number, live: Set<number>): void {
    this.#open(id, moment + 1, live);
    this.#life(id).weight += weight;
  }
}

/** Takes the first way whose first source is read for the last time; a sum without one becomes `lea`. */
function choose(code: Code, live: ReadonlySet<number>, constants: ReadonlyMap<number, number>): void {
  const { sources, ways = [{ name: code.name, order: sources.map((_, i) => i) }] } = code;
  let best: Way | undefined;
  let copied: Way | undefined;
  for (const way of ways) {
    const source = sources[way.order[0]];
    if (source.kind !== "value") continue;
    copied ??= way;
    if (live.has(source.id) || constants.has(source.id)) continue;
    best = way;
    break;
  }
  const isPlain = code.isSum && sources[0].kind !== "place" && sources[1].kind !== "place";
  if (!isPlain) best ??= copied ?? ways[0];
  code.ways = undefined;
  if (best === undefined) {
    const [base, other] = sources;
    if (base.kind !== "value") throw new TypeError("a sum's first source is a value");
    const isIndex = other.kind === "value";
    code.name = "lea";
    code.tied = false;
    code.memoryAt = -1;
    code.sources = [
      {
        kind: "place",
        base: base.id,
        index: isIndex ? other.id : -1,
        scale: 1,
        displacement: other.kind === "immediate" ? other.value : 0,
        broadcast: false,
      },
    ];
    return;
  }
  code.name = best.name;
  code.sources = best.order.map((i) => sources[i]);
  if (best.immediate !== undefined) code.sources.push({ kind: "immediate", value: best.immediate });
}
