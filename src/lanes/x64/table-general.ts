// Rows of table.ts: general registers, jumps, prefetching. movzx8, movzx16, movsx8 and movsx16 name
// the source's bits, which Intel's assembler language reads off the operand. Condition codes: b, ae (unsigned), l, ge
// (signed), e, ne, s, ns (sign), p, np (parity: set by a comparison with NaN), ...

const conditions = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];

/** Condition codes, 0 .. 15, by the suffix of jcc, setcc and cmovcc. */
export const conditionNumbers: Readonly<Record<string, number>> = Object.fromEntries(
  conditions.map((name, number) => [name, number]),
);

const hex = (opcode: number): string => opcode.toString(16).padStart(2, "0");

/** add, or, and, sub, xor, cmp: the same five forms, eight opcodes apart. */
const arithmetic = ["add", "or", "", "", "and", "sub", "xor", "cmp"].map((name, digit) =>
  name === ""
    ? ""
    : `
${name} | E,G  | ${hex(8 * digit + 1)}w   | 8 16 32 64
${name} | G,E  | ${hex(8 * digit + 3)}w   | 8 16 32 64
${name} | E,IS | 83/${digit} | 16 32 64
${name} | E,I1 | 80/${digit} | 8
${name} | E,I4 | 81/${digit} | 32 64`,
);

const conditional = conditions.map(
  (name, number) => `
j${name}    | J   | 0f${hex(0x80 + number)} | 0
set${name}  | E   | 0f${hex(0x90 + number)} | 8
cmov${name} | G,E | 0f${hex(0x40 + number)} | 32 64`,
);

export const tableGeneral = `
mov     | E,G     | 89w      | 8 16 32 64
mov     | G,E     | 8bw      | 8 16 32 64
mov     | O,I4    | b8       | 32
mov     | E,I4    | c7/0     | 32 64
mov     | O,I8    | b8       | 64
mov     | E,I1    | c6/0     | 8
movzx8  | G,E1    | 0fb6     | 32 64
movzx16 | G,E2    | 0fb7     | 32 64
movsxd  | G,E4    | 63       | 64
lea     | G,M     | 8d       | 32 64
imul    | G,E     | 0faf     | 32 64
imul    | G,E,IS  | 6b       | 32 64
imul    | G,E,I4  | 69       | 32 64
shl     | E,I1    | c1w/4    | 8 32 64
shr     | E,I1    | c1w/5    | 8 32 64
sar     | E,I1    | c1w/7    | 8 32 64
neg     | E       | f7w/3    | 8 32 64
div     | E       | f7/6     | 32 64
test    | E,G     | 85w      | 8 32 64
test    | E,I4    | f7/0     | 32 64
test    | E,I1    | f6/0     | 8
push    | O       | 50       | 64        | plain
pop     | O       | 58       | 64        | plain
ret     |         | c3       | 0
jmp     | J       | e9       | 0
shlx    | G,E,B   | 66.0f38.b f7 | 32 64 | vex
shrx    | G,E,B   | f2.0f38.b f7 | 32 64 | vex
prefetchnta | M1  | 0f18/0   | 0
prefetcht0  | M1  | 0f18/1   | 0
prefetcht1  | M1  | 0f18/2   | 0
${arithmetic.join("")}
${conditional.join("")}
`;
