// What the processor can do and the system lets programs use: CPUID and XGETBV, run as machine code and read by a table.
// A feature counts only when the system saves its registers (XCR0). Not here: which tier that makes (device/cpu/tiers.ts).
import type { CpuFeature } from "../native.ts";

type Register = "eax" | "ebx" | "ecx" | "edx";
const REGISTERS: readonly Register[] = ["eax", "ebx", "ecx", "edx"];

// Bits of XCR0: which registers the system saves when it changes threads (Intel SDM volume 1, section 13.3).
const YMM = 0b110;
const ZMM = YMM | 0b1110_0000;
const TILES = 0b11 << 17;

type Row = readonly [leaf: number, subleaf: number, register: Register, bit: number, saved: number];

/** Where CPUID tells of each feature (Intel SDM volume 2A, CPUID), and what the system has to save for it. */
const TABLE: Readonly<Record<CpuFeature, Row>> = {
  avx: [1, 0, "ecx", 28, YMM],
  fma: [1, 0, "ecx", 12, YMM],
  f16c: [1, 0, "ecx", 29, YMM],
  avx2: [7, 0, "ebx", 5, YMM],
  avx_vnni: [7, 1, "eax", 4, YMM],
  avx512f: [7, 0, "ebx", 16, ZMM],
  avx512dq: [7, 0, "ebx", 17, ZMM],
  avx512bw: [7, 0, "ebx", 30, ZMM],
  avx512vl: [7, 0, "ebx", 31, ZMM],
  avx512vbmi: [7, 0, "ecx", 1, ZMM],
  avx512_vnni: [7, 0, "ecx", 11, ZMM],
  avx512_fp16: [7, 0, "edx", 23, ZMM],
  avx512_bf16: [7, 1, "eax", 5, ZMM],
  amx_bf16: [7, 0, "edx", 22, TILES],
  amx_tile: [7, 0, "edx", 24, TILES],
  amx_int8: [7, 0, "edx", 25, TILES],
};

/** Bit 27 of leaf 1, ECX: the system uses XGETBV, so that it may be asked. */
const OSXSAVE = 27;

/** What CPUID gives for a leaf and subleaf: EAX, EBX, ECX, EDX. */
export type AskCpu = (leaf: number, subleaf: number) => ArrayLike<number>;

/** `ask` runs CPUID; `readSaved` gives the low word of XCR0 and is called only where that is allowed. */
export function readCpuFeatures(ask: AskCpu, readSaved: () => number): Set<CpuFeature> {
  const leaves = ask(0, 0)[0];
  const has = (leaf: number, subleaf: number, register: Register, bit: number): boolean =>
    leaf <= leaves && ((ask(leaf, subleaf)[REGISTERS.indexOf(register)] >>> bit) & 1) === 1;
  const saved = has(1, 0, "ecx", OSXSAVE) ? readSaved() : 0;
  // subleaf 1 of leaf 7 is there only where subleaf 0 says so
  const subleaves = leaves >= 7 ? ask(7, 0)[0] : 0;
  const found = (Object.entries(TABLE) as [CpuFeature, Row][]).filter(
    ([, [leaf, subleaf, register, bit, needed]]) =>
      (saved & needed) === needed && (leaf !== 7 || subleaf <= subleaves) && has(leaf, subleaf, register, bit),
  );
  return new Set(found.map(([name]) => name));
}
