// From code whose values have registers to a listing: operands become registers and memory, copies that a destructive
// form or a variable needs become moves unless both are one register, macros ("@...") become their instructions.
import { type Code, type Program, type Source, FRAME, POOL } from "./code.ts";
import type { Instruction, Memory, Operand } from "./instruction.ts";
import { inverse } from "./select-ints.ts";

/** "@" */
const AT = 64;
const RAX = 0;
const RDX = 2;
const RSP = 4;

const numbered = (kind: "gpr" | "vector" | "mask", count: number): Operand[] =>
  Array.from({ length: count }, (_, number) => ({ kind, number }));
/** Each register once. */
const registerOperands = {
  general: numbered("gpr", 16),
  vector: numbered("vector", 32),
  mask: numbered("mask", 8),
} as const;
const gpr = (number: number): Operand => registerOperands.general[number];
const tile = (number: number): Operand => ({ kind: "tile", number });
const immediate = (value: number): Operand => ({ kind: "immediate", value });
const target = (label: number): Operand => ({ kind: "target", label });

export function listCode(program: Program, order: readonly Code[], registers: readonly number[]): Instruction[] {
  return new Lister(program, registers).run(order);
}

type Macro = (lister: Lister, result: Operand, operands: readonly Operand[], code: Code) => void;

class Lister {
  readonly #program: Program;
  readonly #registers: readonly number[];
  readonly #out: Instruction[] = [];
  #labels = LABELS_OF_MACROS;

  constructor(program: Program, registers: readonly number[]) {
    this.#program = program;
    this.#registers = registers;
  }

  run(order: readonly Code[]): Instruction[] {
    for (const code of order) this.#code(code);
    return this.#out;
  }

  add(name: string, bits: Instruction["bits"], ...operands: Operand[]): void {
    this.#out.push({ name, bits, operands });
  }

  label(): number {
    return this.#labels++;
  }

  #register(id: number): Operand {
    return registerOperands[this.#program.classes[id]][this.#registers[id]];
  }

  #operand(source: Source): Operand {
    switch (source.kind) {
      case "value":
        return this.#register(source.id);
      case "place":
        return this.#memory(source);
      case "zero":
        throw new TypeError("a zero is made, not read");
      default:
        return source;
    }
  }

  #memory(source: Source & { kind: "place" }): Memory {
    const { base, index, scale, displacement, broadcast } = source;
    const start = base === POOL ? "pool" : base === FRAME ? RSP : this.#registers[base];
    return {
      kind: "memory",
      base: start,
      ...(index >= 0 && { index: this.#registers[index], scale }),
      displacement,
      ...(broadcast && { broadcast }),
    };
  }

  #code(code: Code): void {
    const result = code.result >= 0 ? this.#register(code.result) : undefined;
    if (code.isCopy) {
      if (code.fixed >= 0) this.#move(code, result!, gpr(code.fixed));
      else this.#copy(code, result!, code.sources[0]);
      return;
    }
    if (code.tied) this.#copy(code, result!, code.sources[0]);
    const isMacro = code.name.charCodeAt(0) === AT;
    const operands: Operand[] = result === undefined || isMacro ? [] : [result];
    for (let i = code.tied ? 1 : 0; i < code.sources.length; i++) operands.push(this.#operand(code.sources[i]));
    if (isMacro) return macroOf(code.name)(this, result!, operands, code);
    const { name, bits, mask } = code;
    if (mask < 0) this.#out.push({ name, bits, operands });
    else {
      const zero = !name.includes("blendm");
      this.#out.push({ name, bits, operands, mask: { number: this.#registers[mask], zero } });
    }
  }

  /** Brings a source to where the result will be. */
  #copy(code: Code, result: Operand, source: Source): void {
    if (source.kind === "zero") return this.add("vxorps", 128, result, result, result);
    if (source.kind === "place" && source.broadcast) {
      return this.add("vbroadcastss", vectorBits(code), result, this.#memory({ ...source, broadcast: false }));
    }
    if (source.kind === "immediate") {
      return this.add("mov", source.value >= 0 ? 32 : 64, result, immediate(source.value));
    }
    this.#move(code, result, this.#operand(source));
  }

  #move(code: Code, to: Operand, from: Operand): void {
    if (to.kind === from.kind && "number" in to && "number" in from && to.number === from.number) return;
    if (to.kind === "gpr") this.add("mov", 64, to, from);
    else if (to.kind === "mask") this.add("kmovw", 0, to, from);
    else this.add("vmovups", vectorBits(code), to, from);
  }
}

const vectorBits = ({ bits }: Code): 128 | 256 | 512 => (bits === 256 || bits === 512 ? bits : 128);

/** Selection numbers labels from 0. */
const LABELS_OF_MACROS = 1_000_000;

const divide =
  (part: number): Macro =>
  (lister, result, [a, b]) => {
    lister.add("mov", 64, gpr(RAX), a);
    lister.add("xor", 32, gpr(RDX), gpr(RDX));
    lister.add("div", 64, b);
    lister.add("mov", 64, result, gpr(part));
  };

const loadTile =
  (name: string) =>
  (number: string): Macro =>
  (lister, _, [at]) =>
    lister.add(name, 0, tile(Number(number)), at);

/** By how their names begin: of two that begin alike the longer one stands first. */
const macros: Readonly<Record<string, (rest: string) => Macro>> = {
  set: (condition) => (lister, result) => {
    lister.add(`set${condition}`, 8, result);
    lister.add("movzx8", 32, result, result);
  },
  moveIf:
    (condition) =>
    (lister, result, [replacement]) => {
      const label = lister.label();
      lister.add(`j${inverse[condition]}`, 0, target(label));
      lister.add("vmovups", 128, result, replacement);
      lister.add("label", 0, target(label));
    },
  divide: () => divide(RAX),
  remainder: () => divide(RDX),
  /** To 32 bits; what came of no number (the second operand) to 0. */
  saturate:
    () =>
    (lister, result, [number]) => {
      lister.add("mov", 32, gpr(RAX), immediate(0x7fffffff));
      lister.add("cmp", 64, result, gpr(RAX));
      lister.add("cmovg", 64, result, gpr(RAX));
      lister.add("mov", 64, gpr(RAX), immediate(-0x80000000));
      lister.add("cmp", 64, result, gpr(RAX));
      lister.add("cmovl", 64, result, gpr(RAX));
      lister.add("mov", 32, gpr(RAX), immediate(0));
      lister.add("vucomiss", 128, number, number);
      lister.add("cmovp", 64, result, gpr(RAX));
    },
  fromInt:
    () =>
    (lister, result, [number]) => {
      lister.add("vxorps", 128, result, result, result); // so that it waits for nothing
      lister.add("vcvtsi2ss", 64, result, result, number);
    },
  tilezero: (number) => (lister) => lister.add("tilezero", 0, tile(Number(number))),
  tileloaddt1: loadTile("tileloaddt1"),
  tileloadd: loadTile("tileloadd"),
  tilestored:
    (number) =>
    (lister, _, [at]) =>
      lister.add("tilestored", 0, at, tile(Number(number))),
  tdpbf16ps: (numbers) => (lister) => {
    const all = Number(numbers);
    lister.add("tdpbf16ps", 0, tile(all & 15), tile((all >> 4) & 15), tile(all >> 8));
  },
};

const macroNames = Object.keys(macros);

function macroOf(name: string): Macro {
  const known = macroNames.find((macro) => name.startsWith(`@${macro}`))!;
  return macros[known](name.slice(1 + known.length));
}
