// One machine instruction as the emitter chooses it, the assembler encodes it and the test's emulator runs it. Operands
// stand in Intel's order, destination first. Not here: which instructions there are (table.ts), their bytes
// (assemble.ts).

/** A general register, 0 (rax) .. 15; how many bits of it count is the instruction's. */
export interface Gpr {
  readonly kind: "gpr";
  readonly number: number;
}

/** xmm, ymm or zmm 0 .. 31, by the instruction's bits. */
export interface Vector {
  readonly kind: "vector";
  readonly number: number;
}

/** k0 .. k7. */
export interface Mask {
  readonly kind: "mask";
  readonly number: number;
}

/** tmm0 .. tmm7. */
export interface Tile {
  readonly kind: "tile";
  readonly number: number;
}

/** [base + index * scale + displacement], or the constant pool's bytes from `displacement` on. */
export interface Memory {
  readonly kind: "memory";
  readonly base: number | "pool";
  readonly index?: number;
  readonly scale?: 1 | 2 | 4 | 8;
  readonly displacement: number;
  /** One 32-bit element for all lanes (EVEX {1toN}). */
  readonly broadcast?: true;
}

export interface Immediate {
  readonly kind: "immediate";
  readonly value: number;
}

/** Where a jump goes. */
export interface Target {
  readonly kind: "target";
  readonly label: number;
}

export type Operand = Gpr | Vector | Mask | Tile | Memory | Immediate | Target;

export interface Instruction {
  /** A mnemonic of the table; "label" marks a place (operand: its target) and is no code. */
  readonly name: string;
  /** Width: 8, 16, 32 or 64 of general registers, 128, 256 or 512 of vectors, 0 where there is none to choose. */
  readonly bits: 0 | 8 | 16 | 32 | 64 | 128 | 256 | 512;
  readonly operands: readonly Operand[];
  /** Write mask (EVEX), and whether lanes outside it become zero instead of staying. */
  readonly mask?: { readonly number: number; readonly zero: boolean };
}

/** A kernel's instructions and the constants that they read. */
export interface Listing {
  readonly name: string;
  readonly instructions: readonly Instruction[];
  /** Bytes that memory operands of base "pool" read; the assembler puts them after the code, 64-byte aligned. */
  readonly pool: Uint8Array;
}
