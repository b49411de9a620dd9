// Decides, before a kernel is emitted, which values never need a local (they are used once and can be computed where
// they are used) and which locals the others share. Values without a use are dropped.
import type { OperationName, Statement, TracedKernel, ValueType } from "../ir.ts";

export interface Schedule {
  /** Statements that define a value which is emitted at its only use, or again at each use (scalar constants). */
  readonly inline: ReadonlyMap<number, Statement>;
  /** Slot of every other value and variable, among the slots of its type's kind. */
  readonly slots: ReadonlyMap<number, number>;
  /** How many slots each kind of local needs. */
  readonly slotCounts: Readonly<Record<LocalKind, number>>;
  readonly isUsed: (value: number) => boolean;
}

export type LocalKind = "int" | "float" | "register";
export const localKind = (type: ValueType): LocalKind => (type === "int" || type === "float" ? type : "register");

const isLoad = (op: OperationName): boolean => op.includes(".load");
const again: readonly OperationName[] = ["int.const", "float.const", "int.parameter", "int.scratch"];

/** Where a value is used: the statement list, the index of the statement there. */
interface Place {
  readonly block: readonly Statement[];
  readonly index: number;
}

/** Ids a statement reads itself, not in its nested statements. */
function reads(statement: Statement): readonly number[] {
  switch (statement.kind) {
    case "do":
      return statement.operands;
    case "get":
      return [];
    case "set":
      return [statement.value];
    case "loop":
      return [statement.from, statement.to, statement.step];
    case "if":
      return [statement.condition];
    default:
      return statement satisfies never;
  }
}

const defines = (statement: Statement): number =>
  statement.kind === "do" || statement.kind === "get" ? statement.result : -1;

export function schedule(kernel: TracedKernel): Schedule {
  const uses = new Map<number, Place[]>();
  const inline = new Map<number, Statement>();
  countUses(kernel.body, uses);
  const isUsed = (value: number): boolean => uses.has(value);
  findInline(kernel.body, uses, inline);
  const lives = measureLives(kernel.body, inline, isUsed);
  return { inline, isUsed, ...assignSlots(kernel.types, lives) };
}

/** From the end to the start, so that what only dead values use is dead too. */
function countUses(block: readonly Statement[], uses: Map<number, Place[]>): void {
  for (let index = block.length - 1; index >= 0; index--) {
    const statement = block[index];
    if (statement.kind === "loop") countUses(statement.body, uses);
    if (statement.kind === "if") {
      countUses(statement.otherwise, uses);
      countUses(statement.body, uses);
    }
    const result = defines(statement);
    if (result >= 0 && !uses.has(result)) continue;
    for (const id of reads(statement)) {
      const places = uses.get(id);
      if (places === undefined) uses.set(id, [{ block, index }]);
      else places.push({ block, index });
    }
  }
}

function findInline(block: readonly Statement[], uses: Map<number, Place[]>, inline: Map<number, Statement>): void {
  /** Where the statement at an index is really emitted. */
  const emittedAt = block.map((_, index) => index);
  for (let index = block.length - 1; index >= 0; index--) {
    const statement = block[index];
    if (statement.kind === "loop") findInline(statement.body, uses, inline);
    if (statement.kind === "if") [statement.body, statement.otherwise].forEach((b) => findInline(b, uses, inline));
    const result = defines(statement);
    const places = uses.get(result);
    if (places === undefined) continue;
    if (statement.kind === "do" && again.includes(statement.op)) {
      inline.set(result, statement);
      continue;
    }
    const [place] = places;
    if (places.length !== 1 || place.block !== block || block[place.index].kind === "loop") continue;
    const at = emittedAt[place.index];
    if (staysTheSame(statement, block, index, at)) {
      inline.set(result, statement);
      emittedAt[index] = at;
    }
  }
}

/** Whether a value is the same when it is computed at index `to` instead of `from`. */
function staysTheSame(statement: Statement, block: readonly Statement[], from: number, to: number): boolean {
  if (statement.kind === "do" && !isLoad(statement.op)) return true;
  for (let index = from + 1; index < to; index++) {
    const between = block[index];
    if (between.kind === "loop" || between.kind === "if") return false;
    if (statement.kind === "get") {
      if (between.kind === "set" && between.variable === statement.variable) return false;
    } else if (between.kind === "do" && between.result < 0) return false; // a store
  }
  return true;
}

interface Life {
  readonly from: number;
  to: number;
}

/** First and last moment of every value that needs a local. A use in a loop that began later lasts to its end. */
function measureLives(
  block: readonly Statement[],
  inline: ReadonlyMap<number, Statement>,
  isUsed: (value: number) => boolean,
): Map<number, Life> {
  const lives = new Map<number, Life>();
  const loops: { from: number; ids: number[] }[] = [];
  let now = 0;
  const define = (id: number): void => {
    if (!lives.has(id)) lives.set(id, { from: now, to: now });
  };
  const touch = (id: number): void => {
    const life = lives.get(id);
    if (life === undefined) return;
    life.to = now;
    for (const loop of loops) if (life.from < loop.from) loop.ids.push(id);
  };
  const read = (id: number): void => {
    const statement = inline.get(id);
    if (statement === undefined) return touch(id);
    if (statement.kind === "get") touch(statement.variable);
    else reads(statement).forEach(read);
  };
  const walk = (block: readonly Statement[]): void => {
    for (const statement of block) {
      now++;
      const result = defines(statement);
      if (result >= 0 && (inline.has(result) || !isUsed(result))) continue;
      reads(statement).forEach(read);
      if (statement.kind === "get") touch(statement.variable);
      if (statement.kind === "set") {
        define(statement.variable);
        touch(statement.variable);
      }
      now++; // what is read at a statement may lend its local to what the statement defines
      if (result >= 0) define(result);
      if (statement.kind === "if") {
        walk(statement.body);
        walk(statement.otherwise);
      }
      if (statement.kind === "loop") {
        define(statement.counter);
        const loop = { from: now, ids: [statement.counter, statement.to, statement.step] };
        loops.push(loop);
        walk(statement.body);
        loops.pop();
        now++;
        for (const id of loop.ids) read(id);
      }
    }
  };
  walk(block);
  return lives;
}

function assignSlots(
  types: readonly ValueType[],
  lives: ReadonlyMap<number, Life>,
): Pick<Schedule, "slots" | "slotCounts"> {
  const slots = new Map<number, number>();
  const slotCounts = { int: 0, float: 0, register: 0 };
  const busyUntil: Record<LocalKind, number[]> = { int: [], float: [], register: [] };
  for (const [id, { from, to }] of [...lives].sort(([, a], [, b]) => a.from - b.from)) {
    const kind = localKind(types[id]);
    const free = busyUntil[kind].findIndex((until) => until < from);
    const slot = free === -1 ? slotCounts[kind]++ : free;
    busyUntil[kind][slot] = to;
    slots.set(id, slot);
  }
  return { slots, slotCounts };
}
