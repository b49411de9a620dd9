// Machine code before registers are known: what selection (select.ts) makes, liveness (live.ts) reads, allocation
// (allocate.ts) and spilling (spill.ts) rewrite, and listing.ts turns into instructions. It is a tree of loops and
// conditions, in the order of the code; jumps and labels stand in it as code.

/** Which registers a value lives in. */
export type RegisterClass = "general" | "vector" | "mask";

export interface ValueSource {
  readonly kind: "value";
  readonly id: number;
}

/** Memory at the sum of two values and a displacement; or in the frame, or in the constant pool. */
export interface PlaceSource {
  readonly kind: "place";
  /** A value; FRAME or POOL. */
  readonly base: number;
  /** A value, or NONE. */
  readonly index: number;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: number;
  /** One 32-bit element for all lanes. */
  readonly broadcast: boolean;
}

export const NONE = -1;
export const FRAME = -2;
export const POOL = -3;

export interface ImmediateSource {
  readonly kind: "immediate";
  readonly value: number;
}

export interface TargetSource {
  readonly kind: "target";
  readonly label: number;
}

/** All bits zero: made where it is needed, only as a first source that becomes the result. */
export interface ZeroSource {
  readonly kind: "zero";
}

export type Source = ValueSource | PlaceSource | ImmediateSource | TargetSource | ZeroSource;

/** Another order of the sources, with the name that it goes by, and the immediate that comes last where there is one. */
export interface Way {
  readonly name: string;
  readonly order: readonly number[];
  readonly immediate?: number;
}

export interface Code {
  readonly kind: "code";
  /** A mnemonic, or a macro of listing.ts ("@..."). */
  name: string;
  readonly bits: 0 | 8 | 16 | 32 | 64 | 128 | 256 | 512;
  /** The value set, or NONE. */
  result: number;
  sources: Source[];
  /** The result is computed in the place of the first source. */
  tied: boolean;
  /** Which source may be memory instead of a value; NONE: no one. */
  memoryAt: number;
  /** What that memory holds: a whole register, one element, or (EVEX) a register or an element for all lanes. */
  readonly memory: "whole" | "element" | "any";
  /** Other ways to compute it; one is chosen when it is known which sources are used no more. */
  ways: readonly Way[] | undefined;
  /** A sum that `lea` computes without losing a source. */
  readonly isSum: boolean;
  /** The result is the first source. */
  readonly isCopy: boolean;
  /** Value of the write mask, or NONE; lanes outside it become zero. */
  mask: number;
  /** General registers that it overwrites. */
  readonly clobbers: readonly number[] | undefined;
  /** A general register that the result, or a copy's source, is in: the calling convention's. */
  readonly fixed: number;
  /** Its number in the order of all code; set by live.ts. */
  at: number;
}

/** Code from a label to a jump back to it. */
export interface LoopRegion {
  readonly kind: "loop";
  readonly body: Item[];
}

/** Code that a jump skips to get to `otherwise`, and which jumps over that. */
export interface BranchRegion {
  readonly kind: "branch";
  readonly body: Item[];
  readonly otherwise: Item[];
}

export type Item = Code | LoopRegion | BranchRegion;

/** A kernel's code, and what is known of its values. */
export interface Program {
  readonly items: Item[];
  /** Class of every value, by id. */
  readonly classes: RegisterClass[];
  /** Values that are constants, with their bits (vectors: of every lane): made where needed, or kept in a register. */
  readonly constants: Map<number, number>;
  /** Values that hold what is in the frame too, and where; those of constants NONE. */
  readonly homes: Map<number, number>;
  /** Bits of a vector register. */
  readonly vectorBits: 128 | 256 | 512;
  /** Vector registers there are; 32: those of EVEX. */
  readonly vectors: 16 | 32;
}

export type CodeOptions = Partial<Omit<Code, "kind" | "name" | "bits" | "result" | "sources" | "at">>;

/** Code that reads `sources` and sets `result`; all else is as usual unless told. */
export function code(
  name: string,
  bits: Code["bits"],
  result: number,
  sources: Source[],
  options: CodeOptions = {},
): Code {
  return {
    kind: "code",
    name,
    bits,
    result,
    sources,
    tied: options.tied ?? false,
    memoryAt: options.memoryAt ?? NONE,
    memory: options.memory ?? "whole",
    ways: options.ways,
    isSum: options.isSum ?? false,
    isCopy: options.isCopy ?? false,
    mask: options.mask ?? NONE,
    clobbers: options.clobbers,
    fixed: options.fixed ?? NONE,
    at: 0,
  };
}

export const value = (id: number): ValueSource => ({ kind: "value", id });
export const immediate = (value: number): ImmediateSource => ({ kind: "immediate", value });
export const target = (label: number): TargetSource => ({ kind: "target", label });
export const place = (base: number, displacement: number, broadcast = false): PlaceSource => ({
  kind: "place",
  base,
  index: NONE,
  scale: 1,
  displacement,
  broadcast,
});

/** Calls `visit` with every value that code reads. */
export function eachRead(code: Code, visit: (id: number) => void): void {
  const { sources } = code;
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i];
    if (source.kind === "value") visit(source.id);
    else if (source.kind === "place") {
      if (source.base >= 0) visit(source.base);
      if (source.index >= 0) visit(source.index);
    }
  }
  if (code.mask >= 0) visit(code.mask);
}

/** Where code can stand that runs whether or not a jump before the item is taken: before what sets the jump's flags. */
export function placeBefore(items: readonly Item[], at: number): number {
  const isPart = (item: Item | undefined): boolean =>
    item?.kind === "code" && /^(j|cmp$|test$|vucomiss$)/.test(item.name);
  while (at > 0 && (items[at]?.kind !== "code" || isPart(items[at])) && isPart(items[at - 1])) at--;
  return at;
}

/** Whether code makes a constant where the result will be, for nothing: zeros, and integers. */
export function makesInPlace({ constants, classes }: Program, { tied, isCopy, sources }: Code, id: number): boolean {
  const [first] = sources;
  if (!(tied || isCopy) || first?.kind !== "value" || first.id !== id) return false;
  return constants.get(id) === 0 || (constants.has(id) && classes[id] === "general");
}

/** Whether code reads or sets one of some values. */
export function touches(code: Code, ids: ReadonlySet<number>): boolean {
  if (ids.has(code.result) || ids.has(code.mask)) return true;
  const { sources } = code;
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i];
    if (source.kind === "value" && ids.has(source.id)) return true;
    if (source.kind === "place" && (ids.has(source.base) || ids.has(source.index))) return true;
  }
  return false;
}
