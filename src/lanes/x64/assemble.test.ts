// Jumps, labels, the constant pool and what is refused. The encodings themselves: test/x64.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assemble } from "./assemble.ts";
import type { Instruction, Operand } from "./instruction.ts";

const gpr = (number: number): Operand => ({ kind: "gpr", number });
const vector = (number: number): Operand => ({ kind: "vector", number });
const mask = (number: number): Operand => ({ kind: "mask", number });
const immediate = (value: number): Operand => ({ kind: "immediate", value });
const pool = (displacement: number): Operand => ({ kind: "memory", base: "pool", displacement });
const op = (name: string, bits: Instruction["bits"], ...operands: Operand[]): Instruction => ({ name, bits, operands });
const label = (label: number): Instruction => op("label", 0, { kind: "target", label });
const jump = (name: string, label: number): Instruction => op(name, 0, { kind: "target", label });
const bytesOf = (instructions: Instruction[], poolBytes = new Uint8Array(0)): number[] => [
  ...assemble({ name: "test", instructions, pool: poolBytes }),
];
/** Instructions of 3 bytes each. */
const filler = (count: number): Instruction[] => Array.from({ length: count }, () => op("mov", 64, gpr(0), gpr(1)));

test("a jump within 127 bytes takes two bytes, back and forth", () => {
  const code = bytesOf([label(1), jump("jmp", 2), ...filler(2), jump("jne", 1), label(2), op("ret", 0)]);
  assert.deepEqual(code, [0xeb, 8, 0x48, 0x89, 0xc8, 0x48, 0x89, 0xc8, 0x75, 0xf6, 0xc3]);
});

test("a jump further away takes a 32-bit distance", () => {
  const code = bytesOf([label(1), ...filler(50), jump("jl", 1), jump("jmp", 1), op("ret", 0)]);
  assert.deepEqual(code.slice(150), [0x0f, 0x8c, 0x64, 0xff, 0xff, 0xff, 0xe9, 0x5f, 0xff, 0xff, 0xff, 0xc3]);
});

test("a jump that grows makes the one that spans it grow", () => {
  // The outer jump spans 126 bytes while the inner one takes two, 129 when it takes five.
  const inner = [jump("jmp", 2), ...filler(41)];
  const code = bytesOf([jump("jmp", 1), ...inner, op("ret", 0), label(1), ...filler(1), label(2), op("ret", 0)]);
  assert.deepEqual(code.slice(0, 3), [0xeb, 126, 0xeb]);
  const longer = bytesOf([jump("jmp", 1), ...inner, op("ret", 0), label(1), ...filler(2), label(2), op("ret", 0)]);
  assert.deepEqual(longer.slice(0, 10), [0xe9, 129, 0, 0, 0, 0xe9, 130, 0, 0, 0]);
});

test("the pool begins at a multiple of 64 and is reached from behind the instruction, immediates included", () => {
  const constants = Uint8Array.from({ length: 68 }, (_, i) => i);
  const code = bytesOf(
    [
      op("vpaddd", 256, vector(1), vector(2), pool(4)),
      op("vpternlogd", 512, vector(1), vector(2), pool(0), immediate(7)),
    ],
    constants,
  );
  assert.deepEqual(code.slice(64), [...constants]);
  const distance = (at: number): number => new DataView(Uint8Array.from(code).buffer).getInt32(at, true);
  assert.equal(8 + distance(4), 64 + 4);
  assert.equal(8 + 11 + distance(8 + 6), 64);
});

test("code without a pool has no byte after it", () => {
  assert.deepEqual(bytesOf([op("ret", 0)]), [0xc3]);
});

const refused: [what: string, instruction: Instruction, message: RegExp][] = [
  ["an unknown name", op("vfoo", 512), /^Error: test: cannot encode vfoo\.512: the table has no such instruction\.$/],
  [
    "a width that is not there",
    op("vpand", 512, vector(1), vector(2), vector(3)),
    /vpand\.512 v1, v2, v3: there is V,H,W/,
  ],
  ["register 16 without EVEX", op("vpand", 256, vector(16), vector(2), vector(3)), /there is V,H,W \(128, 256 bits\)/],
  ["register 32", op("vaddps", 512, vector(32), vector(2), vector(3)), /v32/],
  ["operands that are missing", op("vaddps", 512, vector(1), vector(2)), /there is V,H,W/],
  ["a number that is too large", op("add", 64, gpr(1), immediate(2 ** 31)), /add\.64 rcx, 2147483648/],
  ["a number with a fraction", op("mov", 64, gpr(1), immediate(1.5)), /1\.5/],
  [
    "write mask k0",
    { ...op("vaddps", 512, vector(1), vector(2), vector(3)), mask: { number: 0, zero: false } },
    /k1 to k7/,
  ],
  [
    "a write mask where there is none",
    { ...op("vpmovm2d", 512, vector(1), mask(2)), mask: { number: 1, zero: false } },
    /no write mask/,
  ],
  ["zeroing of memory", { ...op("vmovups", 512, pool(0), vector(2)), mask: { number: 1, zero: true } }, /merged into/],
  ["rsp as an index", op("mov", 64, gpr(1), { kind: "memory", base: 0, index: 4, displacement: 0 }), /rsp\*1/],
  [
    "a tile without a row distance",
    op("tileloadd", 0, { kind: "tile", number: 0 }, { kind: "memory", base: 0, displacement: 0 }),
    /there is T,MS/,
  ],
  [
    "broadcast where there is none",
    op("vpmaddubsw", 512, vector(1), vector(2), { kind: "memory", base: 0, displacement: 0, broadcast: true }),
    /1to/,
  ],
  ["a constant outside the pool", op("vmovups", 512, vector(1), pool(64)), /read at 64 of a pool of 0 bytes/],
  ["a jump to nowhere", jump("jmp", 7), /L7: its label is nowhere/],
];

for (const [what, instruction, message] of refused) {
  test(`${what} is refused with what was found`, () => {
    assert.throws(
      () => bytesOf([instruction]),
      (error: Error) => (assert.match(`Error: ${error.message}`, message), true),
    );
  });
}

test("a label that stands twice is refused", () => {
  assert.throws(() => bytesOf([label(3), label(3)]), /L3:: this label stands there twice/);
});
