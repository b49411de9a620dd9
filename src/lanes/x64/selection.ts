// What the makers of code (select-ints.ts, select-vectors.ts) see of a kernel while its instructions are chosen: how values
// are read (as registers, immediates, memory), and where code goes.
import type { Do, TracedKernel } from "../ir.ts";
import { type Plan, planAbsorption } from "./absorb.ts";
import {
  type Code,
  type CodeOptions,
  type ImmediateSource,
  type Item,
  type PlaceSource,
  type Program,
  type RegisterClass,
  type Source,
  type ValueSource,
  POOL,
  code,
  immediate,
  place,
  value,
} from "./code.ts";
import type { ConstantPool } from "./pool.ts";
import type { CodeFacts } from "./source.ts";

/** What the makers of one statement's code see. */
export class Selection {
  readonly machine: CodeFacts;
  readonly plan: Plan;
  readonly program: Program;
  readonly evex: boolean;
  readonly bits: 128 | 256 | 512;
  items: Item[];
  usesTiles = false;
  readonly #isMask: (id: number) => boolean;
  readonly #constants = new Map<string, number>();
  readonly #pool: ConstantPool;
  readonly #tables: TracedKernel["tables"];
  #labels = 0;

  constructor(kernel: TracedKernel, machine: CodeFacts, pool: ConstantPool) {
    this.#pool = pool;
    this.#tables = kernel.tables;
    this.machine = machine;
    this.evex = machine.registers === 32;
    this.bits = (machine.lanes * 32) as 128 | 256 | 512;
    this.plan = planAbsorption(kernel, { evex: this.evex, dot: machine.dot });
    this.#isMask = (id) => this.evex && this.plan.selecting.has(id);
    const classes = kernel.types.map((type, id): RegisterClass =>
      type === "int" ? "general" : this.#isMask(id) ? "mask" : "vector",
    );
    this.items = [];
    this.program = {
      items: this.items,
      classes,
      constants: new Map(),
      homes: new Map(),
      vectorBits: this.bits,
      vectors: machine.registers,
    };
  }

  definition(id: number): Do | undefined {
    return this.plan.definitions[id];
  }

  fresh(kind: RegisterClass): number {
    return this.program.classes.push(kind) - 1;
  }

  label(): number {
    return this.#labels++;
  }

  emit(name: string, bits: Code["bits"], result: number, sources: Source[], options?: CodeOptions): void {
    this.items.push(code(name, bits, result, sources, options));
  }

  /** A constant by its bits: of a general register, or of every lane. */
  constant(kind: "general" | "vector", bits: number): ValueSource {
    const key = `${kind} ${bits}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return value(known);
    const id = this.fresh(kind);
    this.#constants.set(key, id);
    this.program.constants.set(id, bits);
    return value(id);
  }

  lanes(bits: number): ValueSource {
    return this.constant("vector", bits | 0);
  }

  /** Memory with the order of words that puts two registers of halves side by side: 0, W, 1, W + 1, ... */
  pairing(): PlaceSource {
    const words = Array.from({ length: 2 * this.machine.lanes }, (_, i) => (i >> 1) + (i & 1) * this.machine.lanes);
    return place(
      POOL,
      this.#pool.bytesAt(
        "pairing",
        words.flatMap((word) => [word, 0]),
      ),
    );
  }

  /** Memory with a table of the kernel, as often as a register has room for it. */
  table(index: number): PlaceSource {
    const bytes = this.#tables[index];
    const whole = Array.from({ length: this.bits / 8 / bytes.length }, () => bytes).flat();
    return place(POOL, this.#pool.bytesAt(`table ${bytes.join(" ")} ${this.bits}`, whole));
  }

  /** A value in a register, whatever it is. */
  register(id: number): ValueSource {
    return value(id);
  }

  /** An integer: an immediate where it is a constant of 32 bits. */
  int(id: number): ValueSource | ImmediateSource | PlaceSource {
    const definition = this.definition(id);
    if (definition?.op === "int.const") return immediate(definition.immediate);
    return this.operand(id);
  }

  /** A value, or the memory of the load that was absorbed. */
  operand(id: number): ValueSource | PlaceSource {
    const definition = this.definition(id);
    if (definition === undefined || !this.plan.absorbed.has(id)) return value(id);
    const isSplat = definition.op.endsWith("loadSplat");
    return { ...this.address(definition.operands[0], definition.immediate), broadcast: isSplat };
  }

  /** Memory at an address that is a value, or a sum that was absorbed. */
  address(id: number, offset: number): PlaceSource {
    const { base, displacement } = this.#linear(id, offset);
    const definition = this.#absorbedSum(base);
    if (definition === undefined) return place(base, displacement);
    const [a, b] = definition.operands;
    const scaleOf = (id: number): number => {
      const product = this.definition(id);
      return product?.op === "int.mul" && this.plan.absorbed.has(id) ? this.#constant(product.operands[1])! : 1;
    };
    const [left, right] = [this.#linear(a, 0), this.#linear(b, 0)];
    const [first, second] = scaleOf(left.base) > 1 && scaleOf(right.base) === 1 ? [right, left] : [left, right];
    const scale = scaleOf(second.base) as 1 | 2 | 4 | 8;
    const index = scale > 1 ? this.definition(second.base)!.operands[0] : second.base;
    const total = displacement + first.displacement + second.displacement;
    return { kind: "place", base: first.base, index, scale, displacement: total, broadcast: false };
  }

  /** A value as another one that has a register, and a constant. */
  #linear(id: number, offset: number): { base: number; displacement: number } {
    const definition = this.#absorbedSum(id);
    const constant = definition === undefined ? undefined : this.#constant(definition.operands[1]);
    if (constant === undefined) return { base: id, displacement: offset };
    return this.#linear(definition!.operands[0], offset + constant);
  }

  #absorbedSum(id: number): Do | undefined {
    const definition = this.definition(id);
    return definition?.op === "int.add" && this.plan.absorbed.has(id) ? definition : undefined;
  }

  #constant(id: number): number | undefined {
    const definition = this.definition(id);
    return definition?.op === "int.const" ? definition.immediate : undefined;
  }

  copy(result: number, source: Source): void {
    const kind = this.program.classes[result];
    if (kind === "general") this.emit("mov", 64, result, [source], { isCopy: true });
    else this.emit("vmovups", this.bits, result, [source], { isCopy: true });
  }
}
