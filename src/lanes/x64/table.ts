// The instructions that can be assembled: every form of a mnemonic with its encoding, read from the rows of
// table-general.ts, table-vector.ts and table-mask.ts. Source: Intel SDM volume 2; the letters of operands are those of
// its appendix A where that has one. Not here: the bytes (assemble.ts), what an instruction does (the test's emulator).
//
// A row: mnemonic | operands | code | bits | options.
//   operands  where each is encoded, destination first:
//     G general register in modrm.reg, E in modrm.rm or memory, R in modrm.rm, B in vvvv, O in the opcode's low bits
//     V vector register in modrm.reg, W in modrm.rm or memory, U in modrm.rm, H in vvvv, L in the immediate's high bits
//     K mask in modrm.reg, KM in modrm.rm or memory, KU in modrm.rm, KH in vvvv; T, TU, TH tiles the same way
//     M memory, MS memory with a SIB byte (tiles: the index register is the distance of rows)
//     I1 I4 I8 immediate of so many bytes, IS one byte, sign-extended; J jump target
//     A number after a letter is its size in bytes where that is not the instruction's bits; "/2" and "/4" a part of it.
//   code      [prefix.map.W] opcode[/digit][:modrm]. prefix np, 66, f3, f2; map 0f, 0f38, 0f3a; W 0, 1 or "b" (set at 64 bits).
//             Only vex and evex rows have the bracket's part; others are legacy opcodes as they stand, 66 before them at
//             16 bits and REX.W at 64, and "w" after the opcode: one less at 8 bits.
//   bits      widths that there are; 0: none to choose
//   options   vex, evex: which encodings exist; b: {1toN} of 32-bit elements from memory; b64: of 64-bit elements;
//             nomask: no write mask; l1: VEX.L is 1; plain: no REX.W at 64 bits
import { tableGeneral } from "./table-general.ts";
import { tableMask } from "./table-mask.ts";
import { tableVector } from "./table-vector.ts";

export type Place = "reg" | "rm" | "vvvv" | "opcode" | "immediateHigh" | "immediate" | "jump";

/** Where an operand is encoded and what may stand there. */
export interface Role {
  readonly letter: string;
  readonly place: Place;
  readonly register: "gpr" | "vector" | "mask" | "tile" | undefined;
  readonly memory: boolean;
  /** Bytes of memory, of an immediate or of a narrower register; undefined: as the instruction's bits. */
  readonly bytes: number | undefined;
  /** Memory is the instruction's bits / 8 / part bytes. */
  readonly part: 1 | 2 | 4;
}

export interface Form {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly bits: readonly number[];
  readonly vex: boolean;
  readonly evex: boolean;
  /** 0: none, then 0x66, 0xf3, 0xf2. */
  readonly prefix: number;
  /** 1: 0F, 2: 0F38, 3: 0F3A; 0: legacy, whose opcode bytes are all in `opcode`. */
  readonly map: number;
  readonly wide: 0 | 1 | "bits";
  readonly opcode: readonly number[];
  readonly digit: number | undefined;
  /** The whole modrm byte where it is fixed. */
  readonly modrm: number | undefined;
  /** The opcode is one less at 8 bits. */
  readonly narrow: boolean;
  /** Bits of an element that memory may give to all lanes; 0: no such form. */
  readonly broadcast: 0 | 32 | 64;
  readonly options: ReadonlySet<string>;
}

const places: Readonly<Record<string, Pick<Role, "place" | "register" | "memory">>> = {
  G: { place: "reg", register: "gpr", memory: false },
  E: { place: "rm", register: "gpr", memory: true },
  R: { place: "rm", register: "gpr", memory: false },
  B: { place: "vvvv", register: "gpr", memory: false },
  O: { place: "opcode", register: "gpr", memory: false },
  V: { place: "reg", register: "vector", memory: false },
  W: { place: "rm", register: "vector", memory: true },
  U: { place: "rm", register: "vector", memory: false },
  H: { place: "vvvv", register: "vector", memory: false },
  L: { place: "immediateHigh", register: "vector", memory: false },
  K: { place: "reg", register: "mask", memory: false },
  KM: { place: "rm", register: "mask", memory: true },
  KU: { place: "rm", register: "mask", memory: false },
  KH: { place: "vvvv", register: "mask", memory: false },
  T: { place: "reg", register: "tile", memory: false },
  TU: { place: "rm", register: "tile", memory: false },
  TH: { place: "vvvv", register: "tile", memory: false },
  M: { place: "rm", register: undefined, memory: true },
  MS: { place: "rm", register: undefined, memory: true },
  I: { place: "immediate", register: undefined, memory: false },
  IS: { place: "immediate", register: undefined, memory: false },
  J: { place: "jump", register: undefined, memory: false },
};

const prefixes: Readonly<Record<string, number>> = { np: 0, "66": 0x66, f3: 0xf3, f2: 0xf2 };
const maps: Readonly<Record<string, number>> = { "0f": 1, "0f38": 2, "0f3a": 3 };

function readRole(text: string): Role {
  const [, letter, bytes, part] = /^([A-Z]+)(\d+)?(?:\/([24]))?$/.exec(text)!;
  return {
    letter,
    ...places[letter],
    bytes: letter === "IS" ? 1 : bytes === undefined ? undefined : Number(bytes),
    part: part === undefined ? 1 : (Number(part) as 2 | 4),
  };
}

function readRow(row: string): Form {
  const [name, operands, code, bits, options] = row.split("|").map((field) => field.trim());
  const [, prefix, map, wide, opcode, narrow, digit, modrm] =
    /^(?:(np|66|f3|f2)\.(0f(?:38|3a)?)\.([01b]) )?((?:[0-9a-f]{2})+)(w)?(?:\/([0-7]))?(?::([0-9a-f]{2}))?$/.exec(code)!;
  const chosen = new Set((options ?? "").split(" ").filter((option) => option !== ""));
  return {
    name,
    roles: operands === "" ? [] : operands.split(",").map(readRole),
    bits: bits.split(" ").map(Number),
    vex: chosen.has("vex"),
    evex: chosen.has("evex"),
    prefix: prefixes[prefix ?? "np"],
    map: map === undefined ? 0 : maps[map],
    wide: wide === "b" ? "bits" : wide === "1" ? 1 : 0,
    opcode: opcode.match(/../g)!.map((byte) => parseInt(byte, 16)),
    digit: digit === undefined ? undefined : Number(digit),
    modrm: modrm === undefined ? undefined : parseInt(modrm, 16),
    narrow: narrow !== undefined,
    broadcast: chosen.has("b") ? 32 : chosen.has("b64") ? 64 : 0,
    options: chosen,
  };
}

/** Every form, in the order in which they are tried. */
export const forms: readonly Form[] = [tableGeneral, tableMask, tableVector].flatMap((rows) =>
  rows
    .split("\n")
    .filter((row) => row.includes("|"))
    .map(readRow),
);

/** The forms of each mnemonic. */
export const formsByName: ReadonlyMap<string, readonly Form[]> = Map.groupBy(forms, (form) => form.name);
