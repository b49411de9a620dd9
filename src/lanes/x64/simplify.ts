// What is done to a traced kernel before instructions are chosen: integer constants are folded, what is computed twice is
// computed once, what does not change in a loop is computed before it, conversions that keep the bits vanish, and code
// without a use goes. Gives a kernel of the same meaning. Loads and what may trap stay where they are.
import { type Do, type OperationName, type Statement, type TracedKernel, type ValueType, operations } from "../ir.ts";
import { collectReads, knownReads } from "./variables.ts";

interface Block {
  readonly statements: Statement[];
  readonly isLoop: boolean;
  /** Values by what computes them. */
  readonly known: Map<number | string, number>;
}

const pure = new Set(
  (Object.keys(operations) as OperationName[]).filter(
    (op) => operations[op][0] !== "none" && !op.includes(".load") && op !== "int.divU" && op !== "int.remU",
  ),
);

const numbers = new Map(Object.keys(operations).map((op, number) => [op, number]));
const ID_LIMIT = 2 ** 20;
const IMMEDIATE_LIMIT = 2 ** 5;

/** What computes a value: a number where it fits into one, since that is made faster. */
function keyOf({ op, operands, immediate }: Do): number | string {
  const [a = 0, b = 0] = operands;
  const fits = operands.length < 3 && a < ID_LIMIT && b < ID_LIMIT && immediate >= 0 && immediate < IMMEDIATE_LIMIT;
  if (fits && operands.length > 0)
    return ((numbers.get(op)! * IMMEDIATE_LIMIT + immediate) * ID_LIMIT + a) * ID_LIMIT + b;
  return `${op} ${operands.join(" ")} ${Object.is(immediate, -0) ? "-0" : immediate}`;
}

export function simplify(kernel: TracedKernel): TracedKernel {
  const simplifier = new Simplifier(kernel.types, knownReads(kernel.body));
  const body = simplifier.run(kernel.body);
  return { ...kernel, types: simplifier.types, body: withoutDead(body) };
}

class Simplifier {
  readonly types: ValueType[];
  readonly #replaced: Map<number, number>;
  readonly #constants = new Map<number, number>();
  /** Index of the block where a value is set. */
  readonly #levels: number[] = [];
  readonly #blocks: Block[] = [];
  /** Sums and products with a constant: what and how much. */
  readonly #sums = new Map<number, [number, number]>();
  readonly #products = new Map<number, [number, number]>();

  constructor(types: readonly ValueType[], known: Map<number, number>) {
    this.types = [...types];
    this.#replaced = known;
  }

  run(statements: readonly Statement[], isLoop = false): Statement[] {
    const block: Block = { statements: [], isLoop, known: new Map() };
    this.#blocks.push(block);
    for (const statement of statements) this.#statement(statement, block);
    this.#blocks.pop();
    return block.statements;
  }

  #of(id: number): number {
    for (let next = this.#replaced.get(id); next !== undefined; next = this.#replaced.get(id)) id = next;
    return id;
  }

  #statement(statement: Statement, block: Block): void {
    const level = this.#blocks.length - 1;
    switch (statement.kind) {
      case "do":
        return this.#do(statement, block);
      case "get":
        if (this.#replaced.has(statement.result)) return;
        this.#levels[statement.result] = level;
        block.statements.push(statement);
        return;
      case "set":
        block.statements.push({ ...statement, value: this.#of(statement.value) });
        return;
      case "loop": {
        const [from, to, step] = [statement.from, statement.to, statement.step].map((id) => this.#of(id));
        this.#levels[statement.counter] = level + 1;
        const body = this.run(statement.body, true);
        block.statements.push({ ...statement, from, to, step, body });
        return;
      }
      case "if": {
        const condition = this.#of(statement.condition);
        const known = this.#constants.get(condition);
        if (known !== undefined) {
          for (const inner of known === 0 ? statement.otherwise : statement.body) this.#statement(inner, block);
          return;
        }
        const [body, otherwise] = [this.run(statement.body), this.run(statement.otherwise)];
        block.statements.push({ ...statement, condition, body, otherwise });
        return;
      }
      default:
        statement satisfies never;
    }
  }

  #do(statement: Do, block: Block): void {
    let operands = this.#operands(statement.operands);
    const { result } = statement;
    let { op, immediate } = statement;
    if (op === "ints.bits" || op === "floats.bits") return void this.#replaced.set(result, operands[0]);
    if (op.startsWith("int.") && result >= 0) {
      const folded = this.#foldInt(op, operands);
      if (folded?.same !== undefined) return void this.#replaced.set(result, folded.same);
      if (folded?.op !== undefined) [op, immediate] = [folded.op, folded.immediate ?? 0];
      if (folded?.operands !== undefined) operands = folded.operands;
    }
    const isSame = operands === statement.operands && op === statement.op && immediate === statement.immediate;
    const simple: Do = isSame ? statement : { kind: "do", op, operands, result, immediate };
    if (result >= 0 && pure.has(op)) return this.#place(simple);
    if (op === "int.divU" || op === "int.remU") return this.#divide(simple, block);
    if (result >= 0) this.#levels[result] = this.#blocks.length - 1;
    block.statements.push(simple);
  }

  #operands(operands: readonly number[]): readonly number[] {
    for (const id of operands) if (this.#replaced.has(id)) return operands.map((operand) => this.#of(operand));
    return operands;
  }

  /** A division stays where it is; a remainder beside its quotient is what the quotient leaves. */
  #divide(statement: Do, block: Block): void {
    const { op, operands, result } = statement;
    const quotient = this.#known(keyOf({ ...statement, op: "int.divU" }));
    if (quotient !== undefined && op === "int.divU") return void this.#replaced.set(result, quotient);
    if (quotient !== undefined) {
      const product = this.types.push("int") - 1;
      this.#do({ kind: "do", op: "int.mul", operands: [quotient, operands[1]], result: product, immediate: 0 }, block);
      return this.#do({ kind: "do", op: "int.sub", operands: [operands[0], product], result, immediate: 0 }, block);
    }
    this.#levels[result] = this.#blocks.length - 1;
    block.statements.push(statement);
    if (op === "int.divU") block.known.set(keyOf(statement), result);
  }

  /** A value that is computed in the same way already. */
  #known(key: number | string): number | undefined {
    for (const { known } of this.#blocks) {
      const same = known.get(key);
      if (same !== undefined) return same;
    }
    return undefined;
  }

  /** Puts a pure statement where it is computed least often, unless its value is already there. */
  #place(statement: Do): void {
    const { op, operands, immediate, result } = statement;
    const key = keyOf(statement);
    const same = this.#known(key);
    if (same !== undefined) return void this.#replaced.set(result, same);
    let needed = 0;
    for (const id of operands) needed = Math.max(needed, this.#levels[id] ?? 0);
    let level = this.#blocks.length - 1;
    for (let outer = level; outer > needed; outer--) if (this.#blocks[outer].isLoop) level = outer - 1;
    this.#levels[result] = level;
    this.#blocks[level].statements.push(statement);
    this.#blocks[level].known.set(key, result);
    if (op === "int.const") this.#constants.set(result, immediate);
    const constant = operands.length === 2 ? this.#constants.get(operands[1]) : undefined;
    if (constant === undefined) return;
    if (op === "int.add") this.#sums.set(result, [operands[0], constant]);
    if (op === "int.mul") this.#products.set(result, [operands[0], constant]);
  }

  #const(value: number): number {
    const id = this.types.push("int") - 1;
    this.#place({ kind: "do", op: "int.const", operands: [], result: id, immediate: value });
    return this.#of(id);
  }

  /** An integer operation in simpler terms: the same value, or another operation. */
  #foldInt(
    op: OperationName,
    operands: readonly number[],
  ): { same?: number; op?: OperationName; operands?: readonly number[]; immediate?: number } | undefined {
    let [a, b] = operands;
    let [x, y] = [this.#constants.get(a), this.#constants.get(b)];
    if (x !== undefined && y === undefined && (op === "int.add" || op === "int.mul")) [a, b, x, y] = [b, a, y, x];
    if (x !== undefined && y !== undefined) {
      const known = foldConstants(op, x, y);
      if (known !== undefined && isInt32(known)) return { same: this.#const(known) };
    }
    if (y === undefined) return undefined;
    switch (op) {
      case "int.sub":
        return isInt32(-y) ? this.#foldInt("int.add", [a, this.#const(-y)]) : undefined;
      case "int.add": {
        if (y === 0) return { same: a };
        const [base, before] = this.#sums.get(a) ?? [a, 0];
        if (!isInt32(before + y)) return undefined;
        if (before + y === 0) return { same: base };
        return { op, operands: [base, this.#const(before + y)] };
      }
      case "int.mul": {
        if (y === 0) return { same: b };
        if (y === 1) return { same: a };
        const [base, before] = this.#products.get(a) ?? [a, 1];
        return isInt32(before * y) ? { op, operands: [base, this.#const(before * y)] } : undefined;
      }
      case "int.shl":
        return y < 0 || y > 30 ? undefined : this.#foldInt("int.mul", [a, this.#const(2 ** y)]);
      case "int.shrU":
        return y === 0 ? { same: a } : undefined;
      case "int.divU":
        if (y === 1) return { same: a };
        return isPowerOfTwo(y) ? { op: "int.shrU", operands: [a, this.#const(Math.log2(y))] } : undefined;
      case "int.remU":
        return isPowerOfTwo(y) ? { op: "int.and", operands: [a, this.#const(y - 1)] } : undefined;
      default:
        return undefined;
    }
  }
}

const isInt32 = (x: number): boolean => x === (x | 0);
const isPowerOfTwo = (x: number): boolean => x > 0 && (x & (x - 1)) === 0;

function foldConstants(op: OperationName, x: number, y: number): number | undefined {
  if (op === "int.add") return x + y;
  if (op === "int.sub") return x - y;
  if (op === "int.mul") return x * y;
  if (op === "int.shl" && y >= 0 && y < 31) return x * 2 ** y;
  if (op === "int.divU" && x >= 0 && y > 0) return Math.floor(x / y);
  if (op === "int.remU" && x >= 0 && y > 0) return x % y;
  if (op === "int.and") return x & y;
  if (op === "int.or") return x | y;
  if (op === "int.xor") return x ^ y;
  if (op === "int.eq") return Number(x === y);
  if (op === "int.ltS") return Number(x < y);
  return undefined;
}

/** Drops what nobody uses; also variables that are set and not read before they are set again. */
function withoutDead(statements: readonly Statement[]): Statement[] {
  const read = new Set<number>();
  collectReads(statements, read);
  const used = new Set<number>();
  const keep = (block: readonly Statement[]): Statement[] => {
    const kept: Statement[] = [];
    /** Variables that are set further on, with nothing in between that reads them. */
    const setLater = new Set<number>();
    for (let i = block.length - 1; i >= 0; i--) {
      const statement = block[i];
      switch (statement.kind) {
        case "do":
          if (statement.result >= 0 && !used.has(statement.result)) continue;
          for (const id of statement.operands) used.add(id);
          kept.push(statement);
          break;
        case "get":
          if (!used.has(statement.result)) continue;
          setLater.delete(statement.variable);
          kept.push(statement);
          break;
        case "set":
          if (!read.has(statement.variable) || setLater.has(statement.variable)) continue;
          setLater.add(statement.variable);
          used.add(statement.value);
          kept.push(statement);
          break;
        case "loop": {
          const body = keep(statement.body);
          if (body.length === 0) continue;
          setLater.clear();
          for (const id of [statement.from, statement.to, statement.step]) used.add(id);
          kept.push({ ...statement, body });
          break;
        }
        case "if": {
          const otherwise = keep(statement.otherwise);
          const body = keep(statement.body);
          if (body.length === 0 && otherwise.length === 0) continue;
          setLater.clear();
          used.add(statement.condition);
          kept.push({ ...statement, body, otherwise });
          break;
        }
        default:
          statement satisfies never;
      }
    }
    return kept.reverse();
  };
  return keep(statements);
}
