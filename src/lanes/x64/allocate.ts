// Gives values registers: linear scan over their lives in the order in which they begin, holes respected (Traub et al.
// 1998). Where no register is free, what is read least often for the code that it spans goes to memory. Not here: what
// that changes in the code (spill.ts).
import type { Program, RegisterClass } from "./code.ts";
import { type Life, type Lives, MOMENTS } from "./live.ts";

/** Registers of each class in the order in which they are taken. */
export type RegisterFile = Readonly<Record<RegisterClass, readonly number[]>>;

export interface Allocation {
  /** Register of each value. */
  readonly registers: readonly number[];
  /** Values that got none. */
  readonly spilled: readonly number[];
}

/** A life this short in moments gains nothing from memory. */
const SHORT = 2 * MOMENTS;
/** Lives longer than so many moments count as no longer: what is used in a loop matters more than how far it reaches. */
const LONG = 512 * MOMENTS;

interface Interval {
  readonly id: number;
  readonly ranges: readonly number[];
  readonly start: number;
  readonly end: number;
  readonly cost: number;
}

/** `reserved`: ranges in which general registers hold something else, by number. */
export function allocate(
  program: Program,
  lives: Lives["lives"],
  file: RegisterFile,
  reserved: ReadonlyMap<number, readonly number[]>,
  preferred: ReadonlyMap<number, number>,
): Allocation {
  const registers: number[] = [];
  const spilled: number[] = [];
  const intervals: Record<RegisterClass, Interval[]> = { general: [], vector: [], mask: [] };
  lives.forEach((life, id) => {
    if (life === undefined || life.ranges.length === 0) return;
    intervals[program.classes[id]].push(intervalOf(id, life, program.constants.has(id)));
  });
  for (const kind of ["general", "vector", "mask"] as const) {
    const sorted = intervals[kind].sort((a, b) => a.start - b.start);
    new Scan(kind === "general" ? reserved : new Map(), file[kind], registers, spilled).run(sorted, preferred);
  }
  return { registers, spilled };
}

function intervalOf(id: number, { ranges, weight }: Life, isConstant: boolean): Interval {
  let length = 0;
  for (let i = 0; i < ranges.length; i += 2) length += ranges[i + 1] - ranges[i];
  const [start, end] = [ranges[0], ranges[ranges.length - 1]];
  // a constant in memory is mostly an operand of the instruction that needs it, and is never written there
  const cost = end - start <= SHORT ? Infinity : ((isConstant ? 0.25 : 1) * weight) / Math.min(length, LONG);
  return { id, ranges, start, end, cost };
}

class Scan {
  readonly #reserved: ReadonlyMap<number, readonly number[]>;
  readonly #order: readonly number[];
  /** What has, or will again have, each register. */
  readonly #holders: (Interval[] | undefined)[] = [];
  readonly #registers: number[];
  readonly #spilled: number[];

  constructor(
    reserved: ReadonlyMap<number, readonly number[]>,
    order: readonly number[],
    registers: number[],
    spilled: number[],
  ) {
    this.#reserved = reserved;
    this.#order = order;
    this.#registers = registers;
    this.#spilled = spilled;
    for (const register of order) this.#holders[register] = [];
  }

  run(intervals: readonly Interval[], preferred: ReadonlyMap<number, number>): void {
    for (const interval of intervals) {
      const free = this.#findFree(interval, preferred.get(interval.id));
      if (free === undefined) this.#makeRoom(interval);
      else this.#give(interval, free);
    }
  }

  #findFree(interval: Interval, wish: number | undefined): number | undefined {
    if (wish !== undefined && this.#isFree(wish, interval)) return wish;
    for (const register of this.#order) if (this.#isFree(register, interval)) return register;
    return undefined;
  }

  #give(interval: Interval, register: number): void {
    this.#registers[interval.id] = register;
    this.#holders[register]!.push(interval);
  }

  #isReserved(register: number, interval: Interval): boolean {
    const ranges = this.#reserved.get(register);
    return ranges !== undefined && overlap(ranges, interval.ranges);
  }

  #isFree(register: number, interval: Interval): boolean {
    const holders = this.#holders[register];
    if (holders === undefined || this.#isReserved(register, interval)) return false;
    for (let i = holders.length - 1; i >= 0; i--) {
      if (holders[i].end <= interval.start) holders.splice(i, 1);
      else if (overlap(holders[i].ranges, interval.ranges)) return false;
    }
    return true;
  }

  /** The cheapest of what holds a register, or the interval itself, goes to memory. */
  #makeRoom(interval: Interval): void {
    let best: { register: number; cost: number; losers: Interval[] } | undefined;
    for (const register of this.#order) {
      if (this.#isReserved(register, interval)) continue;
      const losers = this.#holders[register]!.filter(({ ranges }) => overlap(ranges, interval.ranges));
      const cost = losers.reduce((sum, loser) => sum + loser.cost, 0);
      if (best === undefined || cost < best.cost) best = { register, cost, losers };
    }
    if (best === undefined || best.cost >= interval.cost) {
      if (interval.cost === Infinity) throw new RangeError("one instruction needs more registers than there are");
      this.#spilled.push(interval.id);
      return;
    }
    const { register, losers } = best;
    for (const { id } of losers) this.#spilled.push(id);
    this.#holders[register] = this.#holders[register]!.filter((holder) => !losers.includes(holder));
    this.#give(interval, register);
  }
}

/** Whether two ascending lists of ranges share a moment. */
export function overlap(a: readonly number[], b: readonly number[]): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i + 1] <= b[j]) i += 2;
    else if (b[j + 1] <= a[i]) j += 2;
    else return true;
  }
  return false;
}
