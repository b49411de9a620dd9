// Moves values to memory: each gets a place in the frame (constants: in the pool), reads become memory operands where the
// instruction takes one and loads just before it elsewhere, what sets them is stored just after. Also where constants are
// made that have a register.
import {
  type Code,
  type Item,
  type Program,
  type Source,
  FRAME,
  NONE,
  POOL,
  code,
  eachRead,
  immediate,
  place,
  value,
} from "./code.ts";
import type { ConstantPool } from "./pool.ts";

/** Bytes of the frame that are in use; grows. */
export interface Frame {
  bytes: number;
}

const WORD_BYTES = 8;

export function spill(program: Program, ids: readonly number[], frame: Frame, pool: ConstantPool): void {
  new Spiller(program, new Set(ids), frame, pool).block(program.items);
}

class Spiller {
  readonly #program: Program;
  readonly #ids: ReadonlySet<number>;
  readonly #frame: Frame;
  readonly #pool: ConstantPool;
  readonly #offsets = new Map<number, number>();

  constructor(program: Program, ids: ReadonlySet<number>, frame: Frame, pool: ConstantPool) {
    this.#program = program;
    this.#ids = ids;
    this.#frame = frame;
    this.#pool = pool;
  }

  block(items: Item[]): void {
    const out: Item[] = [];
    for (const item of items) {
      if (item.kind === "code") this.#code(item, out);
      else {
        this.block(item.body);
        if (item.kind === "branch") this.block(item.otherwise);
        out.push(item);
      }
    }
    items.splice(0, items.length, ...out);
  }

  #code(item: Code, out: Item[]): void {
    if (!this.#touches(item)) return void out.push(item);
    const loaded = new Map<number, number>();
    /** A value that holds what a spilled one does, just before this code. */
    const load = (id: number): number => {
      if (!this.#ids.has(id)) return id;
      const known = loaded.get(id);
      if (known !== undefined) return known;
      const copy = this.#fresh(id);
      loaded.set(id, copy);
      out.push(this.#load(id, copy));
      return copy;
    };
    const isSpilled = (id: number): boolean => this.#ids.has(id);
    const early = item.tied || item.isCopy;
    // a copy of a spilled value into itself, from joined lives
    const [first] = item.sources;
    const isSame = early && first?.kind === "value" && first.id === item.result;
    if (item.isCopy && isSame) return;

    const hasMemory = item.sources.some(({ kind }, i) => kind === "place" && !(early && i === 0));
    item.sources.forEach((source, i) => {
      if (source.kind === "place") {
        const base = source.base >= 0 ? load(source.base) : source.base;
        const index = source.index >= 0 ? load(source.index) : source.index;
        item.sources[i] = { ...source, base, index };
        return;
      }
      if (source.kind !== "value" || !isSpilled(source.id)) return;
      if (early && i === 0) {
        const home = this.#home(source.id, "any", item.bits);
        if (item.isCopy && item.result >= 0 && isSpilled(item.result) && home.kind === "place") {
          item.sources[i] = value(load(source.id));
        } else item.sources[i] = home;
        return;
      }
      const once = item.sources.filter((other) => other.kind === "value" && other.id === source.id).length === 1;
      if (i === item.memoryAt && !hasMemory && once && !loaded.has(source.id)) {
        const home = this.#home(source.id, item.memory, item.bits);
        if (home.kind === "place") {
          item.sources[i] = home;
          return;
        }
      }
      item.sources[i] = value(load(source.id));
    });
    if (item.mask >= 0) item.mask = load(item.mask);
    if (item.result < 0 || !isSpilled(item.result)) {
      out.push(item);
      return;
    }
    const id = item.result;
    const isConstant = this.#program.constants.has(id);
    if (isConstant) return; // what made the constant in a register
    const isPlainCopy = item.isCopy && item.sources[0]?.kind === "value";
    const offset = this.#offset(id);
    if (isPlainCopy) {
      out.push(this.#store(id, (item.sources[0] as { id: number }).id, offset));
      return;
    }
    item.result = this.#fresh(id);
    out.push(item, this.#store(id, item.result, offset));
  }

  #touches(item: Code): boolean {
    let touches = this.#ids.has(item.result);
    eachRead(item, (id) => (touches ||= this.#ids.has(id)));
    return touches;
  }

  #fresh(like: number): number {
    return this.#program.classes.push(this.#program.classes[like]) - 1;
  }

  #offset(id: number): number {
    const known = this.#offsets.get(id);
    if (known !== undefined) return known;
    const bytes = this.#program.classes[id] === "vector" ? this.#program.vectorBits / 8 : WORD_BYTES;
    const offset = Math.ceil(this.#frame.bytes / bytes) * bytes;
    this.#frame.bytes = offset + bytes;
    this.#offsets.set(id, offset);
    return offset;
  }

  /** What a read of a spilled value reads. */
  #home(id: number, memory: Code["memory"], bits: number): Source {
    if (this.#program.constants.has(id)) return constantSource(this.#program, this.#pool, id, memory, bits);
    return place(FRAME, this.#offset(id));
  }

  #load(id: number, to: number): Code {
    if (this.#program.constants.has(id)) return constantCode(this.#program, this.#pool, id, to);
    const { classes, vectorBits } = this.#program;
    const bits = classes[id] === "vector" ? vectorBits : 64;
    const name = classes[id] === "vector" ? "vmovups" : classes[id] === "general" ? "mov" : "kmovw";
    return code(name, bits, to, [place(FRAME, this.#offset(id))], { isCopy: true });
  }

  #store(id: number, from: number, offset: number): Code {
    const kind = this.#program.classes[id];
    if (kind === "mask") return code("kmovw", 0, NONE, [place(FRAME, offset), value(from)]);
    if (kind === "general") return code("mov", 64, NONE, [place(FRAME, offset), value(from)]);
    return code("vmovups", this.#program.vectorBits, NONE, [place(FRAME, offset), value(from)]);
  }
}

/** What code reads instead of a constant's register. */
function constantSource(
  { constants, classes }: Program,
  pool: ConstantPool,
  id: number,
  memory: Code["memory"],
  bits: number,
): Source {
  const constant = constants.get(id)!;
  if (classes[id] === "general") return immediate(constant);
  if (constant === 0) return { kind: "zero" };
  if (memory === "any") return place(POOL, pool.element(constant), true);
  if (memory === "element") return place(POOL, pool.element(constant));
  return place(POOL, pool.whole(constant, bits));
}

/** Code that makes a constant. */
export function constantCode(program: Program, pool: ConstantPool, id: number, to: number): Code {
  const isVector = program.classes[id] === "vector";
  const source = constantSource(program, pool, id, "any", 0);
  return code(isVector ? "vmovups" : "mov", isVector ? program.vectorBits : 64, to, [source], { isCopy: true });
}
