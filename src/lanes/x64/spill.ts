// Moves values to memory: each gets a place in the frame (constants: in the pool). A loop that reads one and does not set
// it reads it once, before it begins; straight code keeps what it has read for a while. Both are values of their own that
// may want a register; those that find none are read from memory where they are needed, as an operand where the
// instruction takes one.
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
  makesInPlace,
  place,
  placeBefore,
  touches,
  value,
} from "./code.ts";
import type { ConstantPool } from "./pool.ts";

/** Bytes of the frame that are in use; grows. */
export interface Frame {
  bytes: number;
}

const WORD_BYTES = 8;
/** For how much code a value that was read is kept at hand. */
const KEPT_CODE = 40;

export function spill(program: Program, ids: readonly number[], frame: Frame, pool: ConstantPool): void {
  if (ids.length === 0) return;
  const spiller = new Spiller(program, new Set(ids), frame, pool);
  spiller.findSets(program.items);
  spiller.block(program.items, { inLoop: new Map(), held: new Map() });
}

/** What stands for spilled values: in a whole loop, and since some code that came before. */
interface Scope {
  readonly inLoop: ReadonlyMap<number, number>;
  readonly held: Map<number, { readonly copy: number; readonly since: number }>;
}

class Spiller {
  readonly #program: Program;
  readonly #ids: ReadonlySet<number>;
  readonly #frame: Frame;
  readonly #pool: ConstantPool;
  readonly #offsets = new Map<number, number>();
  /** Spilled values that each region sets. */
  readonly #sets = new Map<Item, Set<number>>();
  /** Code that has been seen. */
  #now = 0;

  constructor(program: Program, ids: ReadonlySet<number>, frame: Frame, pool: ConstantPool) {
    this.#program = program;
    this.#ids = ids;
    this.#frame = frame;
    this.#pool = pool;
  }

  block(items: Item[], scope: Scope): void {
    const out: Item[] = [];
    for (const item of items) {
      if (item.kind === "code") {
        this.#now++;
        if (touches(item, this.#ids)) this.#code(item, scope, out);
        else out.push(item);
        continue;
      }
      const blocks = item.kind === "loop" ? [item.body] : [item.body, item.otherwise];
      const sets = this.#sets.get(item)!;
      if (item.kind === "loop") {
        const copies = this.#copiesFor(item.body, sets);
        out.splice(placeBefore(out, out.length), 0, ...[...copies].map(([id, copy]) => this.#load(id, copy)));
        this.block(item.body, { inLoop: copies, held: new Map() });
      } else {
        for (const inner of blocks) this.block(inner, { inLoop: scope.inLoop, held: new Map(scope.held) });
      }
      for (const id of sets) scope.held.delete(id);
      out.push(item);
    }
    items.length = 0;
    for (const item of out) items.push(item);
  }

  /** Finds what regions set; returns what all of them and the code beside them set. */
  findSets(items: readonly Item[]): Set<number> {
    const all = new Set<number>();
    for (const item of items) {
      if (item.kind === "code") {
        if (this.#ids.has(item.result)) all.add(item.result);
        continue;
      }
      const sets = this.findSets(item.body);
      if (item.kind === "branch") for (const id of this.findSets(item.otherwise)) sets.add(id);
      this.#sets.set(item, sets);
      for (const id of sets) all.add(id);
    }
    return all;
  }

  /** Values that take the place of what a loop reads, but for its inner loops, and nobody sets in it. */
  #copiesFor(body: readonly Item[], sets: ReadonlySet<number>): Map<number, number> {
    const copies = new Map<number, number>();
    const visit = (items: readonly Item[]): void => {
      for (const item of items) {
        if (item.kind === "branch") [item.body, item.otherwise].forEach(visit);
        if (item.kind !== "code" || !touches(item, this.#ids)) continue;
        eachRead(item, (id) => {
          if (!this.#ids.has(id) || sets.has(id) || copies.has(id) || this.#program.homes.has(id)) return;
          if (makesInPlace(this.#program, item, id)) return;
          copies.set(id, this.#copyOf(id));
        });
      }
    };
    visit(body);
    return copies;
  }

  #code(item: Code, scope: Scope, out: Item[]): void {
    const isHome = this.#isLoadOrStore(item);
    if (isHome) return; // the value it moved is where it belongs
    const loaded = new Map<number, number>();
    /** What stands for a spilled value, if something does already. */
    const copyOf = (id: number): number | undefined => {
      const held = scope.held.get(id);
      const isNear = held !== undefined && this.#now - held.since <= KEPT_CODE;
      return scope.inLoop.get(id) ?? (isNear ? held.copy : loaded.get(id));
    };
    /** A value that holds what a spilled one does, just before this code. */
    const load = (id: number): number => {
      if (!this.#ids.has(id)) return id;
      const known = copyOf(id);
      if (known !== undefined) return known;
      const isSplit = this.#program.homes.has(id);
      const copy = isSplit ? this.#fresh(id) : this.#copyOf(id);
      loaded.set(id, copy);
      if (!isSplit && !this.#program.constants.has(id)) scope.held.set(id, { copy, since: this.#now });
      out.push(this.#load(id, copy));
      return copy;
    };
    const isSpilled = (id: number): boolean => this.#ids.has(id);
    const early = item.tied || item.isCopy;
    const [first] = item.sources;
    if (item.isCopy && first?.kind === "value" && first.id === item.result) return; // lives that were joined

    const hasMemory = item.sources.some(({ kind }, i) => kind === "place" && !(early && i === 0));
    item.sources.forEach((source, i) => {
      if (source.kind === "place") {
        if (source.base < 0 && source.index < 0) return;
        const base = source.base >= 0 ? load(source.base) : source.base;
        const index = source.index >= 0 ? load(source.index) : source.index;
        item.sources[i] = { ...source, base, index };
        return;
      }
      if (source.kind !== "value" || !isSpilled(source.id)) return;
      const isAtHand = copyOf(source.id) !== undefined;
      if (early && i === 0 && (!isAtHand || makesInPlace(this.#program, item, source.id))) {
        const home = this.#home(source.id, "any", item.bits);
        const isMove = item.isCopy && item.result >= 0 && isSpilled(item.result) && home.kind === "place";
        item.sources[i] = isMove ? value(load(source.id)) : home;
        return;
      }
      const once = item.sources.filter((other) => other.kind === "value" && other.id === source.id).length === 1;
      if (i === item.memoryAt && !hasMemory && once && !isAtHand) {
        const home = this.#home(source.id, item.memory, item.bits);
        if (home.kind === "place") {
          item.sources[i] = home;
          return;
        }
      }
      item.sources[i] = value(load(source.id));
    });
    if (item.mask >= 0) item.mask = load(item.mask);
    const id = item.result;
    if (id < 0 || !isSpilled(id)) return void out.push(item);
    if (this.#program.constants.has(id)) return; // what made the constant in a register
    scope.held.delete(id);
    const [source] = item.sources;
    if (item.isCopy && source?.kind === "value") return void out.push(this.#store(id, source.id));
    const isSplit = this.#program.homes.has(id);
    item.result = isSplit ? this.#fresh(id) : this.#copyOf(id);
    if (!isSplit) scope.held.set(id, { copy: item.result, since: this.#now });
    out.push(item, this.#store(id, item.result));
  }

  /** Whether code only moves a spilled value to or from its own place. */
  #isLoadOrStore({ isCopy, result, sources, name }: Code): boolean {
    const [first, second] = sources;
    if (first?.kind !== "place" || first.base !== FRAME) return false;
    if (isCopy) return this.#program.homes.get(result) === first.displacement && this.#ids.has(result);
    const isMove = name === "mov" || name === "vmovups" || name === "kmovw";
    if (!isMove || result >= 0 || second?.kind !== "value" || !this.#ids.has(second.id)) return false;
    return this.#program.homes.get(second.id) === first.displacement;
  }

  #fresh(like: number): number {
    return this.#program.classes.push(this.#program.classes[like]) - 1;
  }

  /** A value that holds the same as a spilled one, and is where that is if it is spilled too. */
  #copyOf(id: number): number {
    const { constants, homes } = this.#program;
    const copy = this.#fresh(id);
    const constant = constants.get(id);
    if (constant !== undefined) constants.set(copy, constant);
    homes.set(copy, constant === undefined ? this.#offset(id) : NONE);
    return copy;
  }

  #offset(id: number): number {
    const known = this.#program.homes.get(id) ?? this.#offsets.get(id);
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

  #store(id: number, from: number): Code {
    const kind = this.#program.classes[id];
    const at = place(FRAME, this.#offset(id));
    if (kind === "mask") return code("kmovw", 0, NONE, [at, value(from)]);
    if (kind === "general") return code("mov", 64, NONE, [at, value(from)]);
    return code("vmovups", this.#program.vectorBits, NONE, [at, value(from)]);
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
