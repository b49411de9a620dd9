// General instructions: moves, integer arithmetic with its flags, jumps, the stack. Source: Intel SDM volume 2.
import { conditionNumbers } from "../../../src/lanes/x64/table-general.ts";
import { type Decoded, type Step, place } from "./operands.ts";
import { Fault, type Flags, type State } from "./state.ts";

const signed = (bits: number, value: bigint): bigint => BigInt.asIntN(bits, value);
const truncated = (bits: number, value: bigint): bigint => BigInt.asUintN(bits, value);

/** Zero, sign and parity of a result. */
function resultFlags(bits: number, result: bigint): Partial<Flags> {
  let ones = 0;
  for (let low = Number(result & 255n); low !== 0; low &= low - 1) ones++;
  return { zero: result === 0n, sign: result >> BigInt(bits - 1) === 1n, parity: ones % 2 === 0 };
}

/** a and b to a result and, where somebody asks, its flags; both of `bits` bits, unsigned. */
interface Arithmetic {
  readonly compute: (a: bigint, b: bigint) => bigint;
  readonly flags: (bits: number, a: bigint, b: bigint, result: bigint) => Partial<Flags>;
}

const add: Arithmetic = {
  compute: (a, b) => a + b,
  flags: (bits, a, b, result) => {
    const overflow = ((a ^ result) & (b ^ result)) >> BigInt(bits - 1) === 1n;
    return { ...resultFlags(bits, result), carry: a + b !== result, overflow };
  },
};
const subtract: Arithmetic = {
  compute: (a, b) => a - b,
  flags: (bits, a, b, result) => {
    const overflow = ((a ^ b) & (a ^ result)) >> BigInt(bits - 1) === 1n;
    return { ...resultFlags(bits, result), carry: a < b, overflow };
  },
};
const logic = (compute: Arithmetic["compute"]): Arithmetic => ({
  compute,
  flags: (bits, _a, _b, result) => ({ ...resultFlags(bits, result), carry: false, overflow: false }),
});

/** Sets the flags of an operation, and gives its result. */
function apply({ compute, flags }: Arithmetic, state: State, bits: number, a: bigint, b: bigint): bigint {
  const result = truncated(bits, compute(a, b));
  state.setFlags(() => flags(bits, a, b, result));
  return result;
}

/** Shifts: a count of 0 changes no flag; overflow is defined for a count of 1 only. */
type Shift = (bits: number, a: bigint, count: bigint) => { result: bigint; carry: boolean; overflow: boolean };
const bitAt = (value: bigint, at: bigint): boolean => at >= 0n && ((value >> at) & 1n) === 1n;
const shifts: Readonly<Record<string, Shift>> = {
  shl: (bits, a, count) => {
    const result = truncated(bits, a << count);
    const carry = bitAt(a, BigInt(bits) - count);
    return { result, carry, overflow: bitAt(result, BigInt(bits - 1)) !== carry };
  },
  shr: (bits, a, count) => ({
    result: a >> count,
    carry: bitAt(a, count - 1n),
    overflow: bitAt(a, BigInt(bits - 1)),
  }),
  sar: (bits, a, count) => ({
    result: truncated(bits, signed(bits, a) >> count),
    carry: bitAt(signed(bits, a), count - 1n),
    overflow: false,
  }),
};

function shift(f: Shift): (decoded: Decoded) => Step {
  return (decoded) => {
    const [target, amount] = [place(decoded, 0), place(decoded, 1)];
    const { bits } = target;
    return () => {
      const count = amount.read() & (bits === 64 ? 63n : 31n);
      if (count === 0n) return;
      const { result, carry, overflow } = f(bits, target.read(), count);
      target.write(result);
      const known = count <= BigInt(bits); // beyond that carry is left open
      decoded.state.setFlags(() => ({
        ...resultFlags(bits, result),
        carry: known ? carry : undefined,
        overflow: count === 1n ? overflow : undefined,
      }));
    };
  };
}

/** shlx, shrx: the count in a register, no flags. */
function shiftBy(f: Shift): (decoded: Decoded) => Step {
  return (decoded) => {
    const [target, source, amount] = [0, 1, 2].map((i) => place(decoded, i));
    const mask = BigInt(target.bits - 1);
    return () => target.write(f(target.bits, source.read(), amount.read() & mask).result);
  };
}

/** Binary operations on the first operand; `writes`: not for cmp and test. */
function binary(f: Arithmetic, writes = true): (decoded: Decoded) => Step {
  return (decoded) => {
    const [target, source] = [place(decoded, 0), place(decoded, 1)];
    return () => {
      const result = apply(f, decoded.state, target.bits, target.read(), source.read());
      if (writes) target.write(result);
    };
  };
}

const move =
  (extend: (bits: number, value: bigint) => bigint) =>
  (decoded: Decoded): Step => {
    const [target, source] = [place(decoded, 0), place(decoded, 1)];
    return () => target.write(extend(source.bits, source.read()));
  };

/** imul with two or three operands: carry and overflow tell that the product was cut. */
function multiply(decoded: Decoded): Step {
  const places = decoded.instruction.operands.map((_, i) => place(decoded, i));
  const [target] = places;
  const [a, b] = places.slice(-2);
  const { bits } = target;
  return () => {
    const product = signed(bits, a.read()) * signed(bits, b.read());
    target.write(truncated(bits, product));
    const cut = signed(bits, product) !== product;
    decoded.state.setFlags(() => ({ carry: cut, overflow: cut }));
  };
}

const RAX = 0;
const RDX = 2;

/** div: rax and rdx = quotient and remainder of rdx:rax by the operand, unsigned. */
function divide(decoded: Decoded): Step {
  const source = place(decoded, 0);
  const { gpr } = decoded.state;
  const { bits } = source;
  return () => {
    const dividend = (truncated(bits, gpr[RDX]) << BigInt(bits)) | truncated(bits, gpr[RAX]);
    const divisor = source.read();
    if (divisor === 0n) throw new Fault("division by zero");
    if (truncated(bits, dividend / divisor) !== dividend / divisor) throw new Fault("the quotient does not fit");
    gpr[RAX] = dividend / divisor;
    gpr[RDX] = dividend % divisor;
    decoded.state.setFlags(() => ({}));
  };
}

/** Whether a condition holds; each odd number is its even neighbour's opposite. */
function condition(state: State, suffix: string): () => boolean {
  let flags: Partial<Flags> = {};
  const known = (flag: keyof Flags): boolean => {
    const value = flags[flag];
    if (value === undefined) throw new Fault(`the ${flag} flag is read, which is undefined here`);
    return value;
  };
  const number = conditionNumbers[suffix];
  const test = [
    () => known("overflow"),
    () => known("carry"),
    () => known("zero"),
    () => known("carry") || known("zero"),
    () => known("sign"),
    () => known("parity"),
    () => known("sign") !== known("overflow"),
    () => known("zero") || known("sign") !== known("overflow"),
  ][number >> 1];
  return () => {
    flags = state.flags();
    return test() !== (number % 2 === 1);
  };
}

function target({ instruction, labels }: Decoded): number {
  const [operand] = instruction.operands;
  const index = operand.kind === "target" ? labels.get(operand.label) : undefined;
  if (index === undefined) throw new Error(`${instruction.name}: its label is nowhere`);
  return index;
}

const conditional = (suffix: string): Record<string, (decoded: Decoded) => Step> => ({
  [`j${suffix}`]: (decoded) => {
    const [holds, to] = [condition(decoded.state, suffix), target(decoded)];
    return () => (holds() ? to : undefined);
  },
  [`set${suffix}`]: (decoded) => {
    const [holds, to] = [condition(decoded.state, suffix), place(decoded, 0)];
    return () => to.write(holds() ? 1n : 0n);
  },
  [`cmov${suffix}`]: (decoded) => {
    const holds = condition(decoded.state, suffix);
    const [to, from] = [place(decoded, 0), place(decoded, 1)];
    // At 32 bits the upper half is cleared whether the condition holds or not.
    return () => to.write(holds() ? from.read() : to.read());
  },
});

const RSP = 4;
const nothing = (): Step => () => undefined;

export const general: Readonly<Record<string, (decoded: Decoded) => Step>> = {
  mov: move((_, value) => value),
  movzx8: move((_, value) => value),
  movzx16: move((_, value) => value),
  movsxd: move(signed),
  lea: ({ state, instruction }) => {
    const [to, from] = instruction.operands;
    if (to.kind !== "gpr" || from.kind !== "memory") throw new Error("lea: a register and an address");
    if (from.base === "pool") throw new Error("lea: the pool has no address here");
    const { base, index, scale = 1, displacement } = from;
    return () => {
      const scaled = index === undefined ? 0n : state.gpr[index] * BigInt(scale);
      state.gpr[to.number] = truncated(instruction.bits, state.gpr[base] + scaled + BigInt(displacement));
    };
  },
  add: binary(add),
  sub: binary(subtract),
  and: binary(logic((a, b) => a & b)),
  or: binary(logic((a, b) => a | b)),
  xor: binary(logic((a, b) => a ^ b)),
  cmp: binary(subtract, false),
  test: binary(
    logic((a, b) => a & b),
    false,
  ),
  neg: (decoded) => {
    const to = place(decoded, 0);
    return () => to.write(apply(subtract, decoded.state, to.bits, 0n, to.read()));
  },
  imul: multiply,
  div: divide,
  cdq:
    ({ state }) =>
    () =>
      void (state.gpr[RDX] = truncated(32, signed(32, state.gpr[RAX]) >> 32n)),
  cqo:
    ({ state }) =>
    () =>
      void (state.gpr[RDX] = truncated(64, signed(64, state.gpr[RAX]) >> 64n)),
  ...Object.fromEntries(Object.entries(shifts).map(([name, f]) => [name, shift(f)])),
  shlx: shiftBy(shifts.shl),
  shrx: shiftBy(shifts.shr),
  push: (decoded) => {
    const from = place(decoded, 0);
    return () => {
      decoded.state.gpr[RSP] -= 8n;
      decoded.state.writeInteger(decoded.state.address(RSP), 8, from.read());
    };
  },
  pop: (decoded) => {
    const to = place(decoded, 0);
    return () => {
      const value = decoded.state.readInteger(decoded.state.address(RSP), 8, false);
      decoded.state.gpr[RSP] += 8n;
      to.write(value);
    };
  },
  jmp: (decoded) => {
    const to = target(decoded);
    return () => to;
  },
  prefetcht0: nothing,
  prefetcht1: nothing,
  prefetchnta: nothing,
  ...Object.assign({}, ...Object.keys(conditionNumbers).map(conditional)),
};
