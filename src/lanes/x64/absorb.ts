// Decides which statements of a simplified kernel make no instruction of their own because the one instruction that uses
// them does their work too: a load becomes its memory operand, sums become addresses, a comparison becomes the flags or
// the mask of a selection, a negation another multiply-add. A load is only moved to its use where no store, loop or
// condition lies in between.
import { type Do, type Machine, type OperationName, type Statement, type TracedKernel, operations } from "../ir.ts";

export interface Plan {
  /** What sets a value. */
  readonly definitions: readonly (Do | undefined)[];
  /** Values whose statement is part of the statement that uses them. */
  readonly absorbed: ReadonlySet<number>;
  /** Values that are known to be all ones or zero in each lane. */
  readonly isMask: (id: number) => boolean;
  /** Masks that only selections use. */
  readonly selecting: ReadonlySet<number>;
}

type LoadKind = "full" | "splat" | "scalar" | "word" | "int";

/** Loads that can be part of another instruction. */
const loads: Partial<Record<OperationName, LoadKind>> = {
  "floats.load": "full",
  "ints.load": "full",
  "floats.loadSplat": "splat",
  "ints.loadSplat": "splat",
  "float.load": "scalar",
  "int.loadWord": "word",
  "int.load": "int",
};

interface Slots {
  /** Operands that may be memory, the best first. */
  readonly at: readonly number[];
  readonly kinds: readonly LoadKind[];
}

const lanewise = (...at: number[]): Slots => ({ at, kinds: ["full", "splat"] });
const scalar = (...at: number[]): Slots => ({ at, kinds: ["scalar"] });
const whole = (...at: number[]): Slots => ({ at, kinds: ["full"] });
const words = (...at: number[]): Slots => ({ at, kinds: ["word"] });

const slots: Partial<Record<OperationName, Slots>> = {
  "int.add": words(1, 0),
  "int.sub": words(1),
  "int.mul": words(1, 0),
  "int.and": words(1, 0),
  "int.or": words(1, 0),
  "int.xor": words(1, 0),
  "int.eq": words(1),
  "int.ltS": words(1),
  "float.add": scalar(1, 0),
  "float.sub": scalar(1),
  "float.mul": scalar(1, 0),
  "float.div": scalar(1),
  "float.lt": scalar(0),
  "ints.splat": { at: [0], kinds: ["int"] },
  "floats.splat": scalar(0),
  "ints.add": lanewise(1, 0),
  "ints.sub": lanewise(1),
  "ints.mul": lanewise(1, 0),
  "ints.and": lanewise(1, 0),
  "ints.or": lanewise(1, 0),
  "ints.xor": lanewise(1, 0),
  "ints.eq": lanewise(1, 0),
  "ints.gtS": lanewise(1),
  "ints.addHalves": whole(1, 0),
  "ints.dotHalves": whole(1, 0),
  "ints.lookup": whole(1),
  "ints.dotPairs": whole(0),
  "ints.dotBytes": lanewise(1),
  "floats.add": lanewise(1, 0),
  "floats.sub": lanewise(1),
  "floats.mul": lanewise(1, 0),
  "floats.div": lanewise(1),
  "floats.madd": lanewise(1, 0, 2),
  "floats.min": lanewise(0),
  "floats.max": lanewise(0),
  "floats.sqrt": lanewise(0),
  "floats.nearest": lanewise(0),
  "floats.abs": lanewise(0),
  "floats.neg": lanewise(0),
  "floats.lt": lanewise(1),
  "floats.fromInts": lanewise(0),
};

/** Shifts by an immediate take memory in EVEX only. */
const shifts: Slots = whole(0);
const isShift = (op: OperationName): boolean => op.startsWith("ints.sh");
const comparisons: readonly OperationName[] = ["int.eq", "int.ltS", "float.lt"];
const masks: readonly OperationName[] = ["ints.eq", "ints.gtS", "floats.lt"];
/** What vpternlogd does two of at a time. */
export const bitwise: ReadonlySet<OperationName> = new Set(["ints.and", "ints.or", "ints.xor"]);
const isSelection = (op: OperationName): boolean => op === "ints.select" || op === "floats.select";
/** A sum that is an address this often is one instruction; else it is part of the addresses. */
const ADDRESS_USES_MOST = 2;
const DISPLACEMENT_MOST = 2 ** 30;

const withAddress: ReadonlySet<string> = new Set(
  Object.keys(operations).filter((op) => /\.(load|store)|prefetch/.test(op)),
);

interface Uses {
  count: number;
  /** How many of them are as an address, and as an address's index. */
  address: number;
  index: number;
  /** How many are as a selection's mask. */
  mask: number;
  /** The block of all of them, or undefined where they differ. */
  block: readonly Statement[] | undefined;
  /** A base beside an index: it cannot have an index of its own. */
  hasIndex: boolean;
}

/** What decides which memory operands there are. */
interface Facts {
  readonly evex: boolean;
  readonly dot: Machine["dot"];
}

export function planAbsorption(kernel: TracedKernel, facts: Facts): Plan {
  const planner = new Planner(facts);
  planner.define(kernel.body);
  planner.block(kernel.body);
  return {
    definitions: planner.definitions,
    absorbed: planner.absorbed,
    isMask: (id) => planner.isMask(id),
    selecting: planner.selecting,
  };
}

class Planner {
  readonly definitions: (Do | undefined)[] = [];
  readonly absorbed = new Set<number>();
  readonly selecting = new Set<number>();
  readonly #evex: boolean;
  readonly #dot: Machine["dot"];
  /** Where a value is set: the block, and the index in it. */
  readonly #blocks: (readonly Statement[] | undefined)[] = [];
  readonly #indexes: number[] = [];
  readonly #uses: (Uses | undefined)[] = [];

  constructor({ evex, dot }: Facts) {
    this.#evex = evex;
    this.#dot = dot;
  }

  define(block: readonly Statement[]): void {
    block.forEach((statement, index) => {
      if (statement.kind === "do" && statement.result >= 0) {
        this.definitions[statement.result] = statement;
        this.#blocks[statement.result] = block;
        this.#indexes[statement.result] = index;
      }
      for (const id of readsOf(statement)) this.#use(id, block).count++;
      if (statement.kind === "loop") this.define(statement.body);
      if (statement.kind === "if") [statement.body, statement.otherwise].forEach((inner) => this.define(inner));
    });
  }

  isMask(id: number): boolean {
    const definition = this.definitions[id];
    if (definition === undefined) return false;
    if (masks.includes(definition.op)) return true;
    return /^ints\.(and|or|xor)$/.test(definition.op) && definition.operands.every((operand) => this.isMask(operand));
  }

  #use(id: number, block: readonly Statement[]): Uses {
    const uses = this.#uses[id];
    if (uses === undefined)
      return (this.#uses[id] = { count: 0, address: 0, index: 0, mask: 0, block, hasIndex: false });
    if (uses.block !== block) uses.block = undefined;
    return uses;
  }

  /** Backwards, so that what uses a value has been seen before it. */
  block(block: readonly Statement[]): void {
    const barriers = countBarriers(block);
    const emittedAt = block.map((_, index) => index);
    for (let index = block.length - 1; index >= 0; index--) {
      const statement = block[index];
      if (statement.kind === "loop") this.block(statement.body);
      if (statement.kind === "if") {
        this.block(statement.otherwise);
        this.block(statement.body);
        this.#absorbComparison(statement.condition, block, emittedAt, index);
      }
      if (statement.kind !== "do") continue;
      this.#absorbAddress(statement, block);
      this.#absorbOperands(statement, block, emittedAt, index, barriers);
    }
  }

  /** What sets a value that is used once, in the same block. */
  #single(id: number, block: readonly Statement[]): Do | undefined {
    const definition = this.definitions[id];
    const isHere = definition !== undefined && this.#blocks[id] === block && this.#uses[id]?.count === 1;
    return isHere && !this.absorbed.has(id) ? definition : undefined;
  }

  #take(id: number, emittedAt: number[], to: number): void {
    this.absorbed.add(id);
    emittedAt[this.#indexes[id]] = to;
  }

  #absorbComparison(id: number, block: readonly Statement[], emittedAt: number[], index: number): void {
    const single = this.#single(id, block);
    if (single !== undefined && comparisons.includes(single.op)) this.#take(id, emittedAt, emittedAt[index]);
  }

  #absorbOperands(
    statement: Do,
    block: readonly Statement[],
    emittedAt: number[],
    index: number,
    barriers: readonly number[],
  ): void {
    const { op, operands } = statement;
    if (op === "int.select" || op === "float.select") this.#absorbComparison(operands[0], block, emittedAt, index);
    if (isSelection(op)) {
      const uses = this.#use(operands[0], block);
      uses.mask++;
      const definition = this.definitions[operands[0]];
      const isComparison = definition !== undefined && masks.includes(definition.op);
      if (uses.mask === uses.count && isComparison) this.selecting.add(operands[0]);
    }
    if (op === "floats.madd") {
      for (const id of operands.slice(0, 2)) {
        const single = this.#single(id, block);
        if (single?.op !== "floats.neg" || operands[0] === operands[1]) continue;
        this.#take(id, emittedAt, emittedAt[index]);
        return; // its operand may be anywhere: no memory besides
      }
    }
    if (this.#evex && bitwise.has(op) && !this.absorbed.has(statement.result) && operands[0] !== operands[1]) {
      const inner = operands.find((id) => bitwise.has(this.#single(id, block)?.op as OperationName));
      if (inner !== undefined) return this.#take(inner, emittedAt, emittedAt[index]);
    }
    const { at, kinds } = isShift(op) && this.#evex ? shifts : (slots[op] ?? { at: [], kinds: [] });
    for (const slot of at) {
      const single = this.#single(operands[slot], block);
      const kind = single === undefined ? undefined : loads[single.op];
      if (kind === undefined || !kinds.includes(kind)) continue;
      const isSplat = this.#evex && (op !== "ints.dotBytes" || this.#dot === "u8");
      if (kind === "splat" && !isSplat) continue;
      if (barriers[emittedAt[index]] !== barriers[this.#indexes[operands[slot]]]) continue;
      this.#take(operands[slot], emittedAt, emittedAt[index]);
      return;
    }
  }

  /** Counts an address's use, or where all uses of a sum are addresses takes the sum apart. */
  #absorbAddress({ op, operands, result }: Do, block: readonly Statement[]): void {
    if (withAddress.has(op)) {
      const uses = this.#use(operands[0], block);
      uses.address++;
      uses.hasIndex ||= op.startsWith("tile."); // the index is the distance of rows
    }
    const uses = this.#uses[result];
    if (uses === undefined || uses.count !== uses.address + uses.index) return;
    const constant = operands.length === 2 ? this.#constant(operands[1]) : undefined;
    if (op === "int.add" && constant !== undefined && Math.abs(constant) < DISPLACEMENT_MOST) {
      this.absorbed.add(result);
      return this.#pass(operands[0], uses);
    }
    if (op === "int.mul" && uses.address === 0 && constant !== undefined && [2, 4, 8].includes(constant)) {
      this.absorbed.add(result);
      return this.#pass(operands[0], { ...uses, index: 0, address: 0 });
    }
    const isFew = uses.count <= ADDRESS_USES_MOST && uses.index === 0 && !uses.hasIndex && uses.block === block;
    if (op !== "int.add" || constant !== undefined || !isFew || operands[0] === operands[1]) return;
    this.absorbed.add(result);
    const index = this.indexOf(operands);
    this.#pass(operands[1 - index], { ...uses, hasIndex: true });
    this.#pass(operands[index], { ...uses, address: 0, index: uses.count });
  }

  /** Which of a sum's two operands is the index: one that is scaled. */
  indexOf(operands: readonly number[]): 0 | 1 {
    const isScaled = (id: number): boolean => {
      const definition = this.definitions[id];
      return definition?.op === "int.mul" && [2, 4, 8].includes(this.#constant(definition.operands[1]) ?? 0);
    };
    return isScaled(operands[0]) && !isScaled(operands[1]) ? 0 : 1;
  }

  #constant(id: number): number | undefined {
    const definition = this.definitions[id];
    return definition?.op === "int.const" ? definition.immediate : undefined;
  }

  /** A value is used in place of one that was made of it: one use becomes as many as that had. */
  #pass(id: number, { count, address, index, hasIndex, block }: Uses): void {
    const uses = this.#uses[id];
    if (uses === undefined) return;
    uses.count += count - 1;
    uses.address += address;
    uses.index += index;
    uses.hasIndex ||= hasIndex;
    if (uses.block !== block) uses.block = undefined;
  }
}

function readsOf(statement: Statement): readonly number[] {
  if (statement.kind === "do") return statement.operands;
  if (statement.kind === "set") return [statement.value];
  if (statement.kind === "loop") return [statement.from, statement.to, statement.step];
  return statement.kind === "if" ? [statement.condition] : [];
}

/** How many statements that may write memory, or may not run, stand before each index. */
function countBarriers(block: readonly Statement[]): number[] {
  let count = 0;
  return block.map((statement) => {
    const before = count;
    const isStore = statement.kind === "do" && statement.result < 0 && statement.op !== "memory.prefetch";
    if (isStore || statement.kind === "loop" || statement.kind === "if") count++;
    return before;
  });
}
