// From a listing to bytes: the code, then the constant pool, 64-byte aligned. For every instruction the first form of
// the table that fits is taken: VEX where that is enough, EVEX where it is not; jumps are as short as they can be. Refuses
// what cannot be encoded. Not here: the table (table.ts), an instruction's bytes (encode.ts).
import { UnsupportedError } from "../../base/errors.ts";
import { type Code, encode } from "./encode.ts";
import type { Instruction, Listing, Operand } from "./instruction.ts";
import { showInstruction } from "./show.ts";
import { type Form, type Role, formsByName } from "./table.ts";

const POOL_ALIGNMENT = 64;
const INT3 = 0xcc;

/** A place in the bytes without jumps: how many bytes, and how many jumps, stand before it. */
interface Place {
  readonly offset: number;
  readonly jumps: number;
}

interface Jump extends Place {
  readonly instruction: Instruction;
  readonly form: Form;
  readonly label: number;
}

/** Machine code of a listing; runs at any address that is a multiple of 64. Throws UnsupportedError. */
export function assemble(listing: Listing): Uint8Array<ArrayBuffer> {
  const code: Code = { bytes: [], poolFields: [] };
  const jumps: Jump[] = [];
  const labels = new Map<number, Place>();
  const fieldJumps: number[] = [];
  for (const instruction of listing.instructions) {
    const place = { offset: code.bytes.length, jumps: jumps.length };
    const target = instruction.operands[0];
    if (instruction.name === "label") {
      if (target?.kind !== "target") throw refusal(listing, instruction, "a label names its target");
      if (labels.has(target.label)) throw refusal(listing, instruction, "this label stands there twice");
      labels.set(target.label, place);
      continue;
    }
    const { form, extended } = chooseForm(listing, instruction);
    if (form.roles[0]?.place === "jump" && target.kind === "target") {
      jumps.push({ ...place, instruction, form, label: target.label });
      continue;
    }
    encode(form, instruction, extended, code);
    while (fieldJumps.length < code.poolFields.length) fieldJumps.push(jumps.length);
  }
  return link(listing, code, jumps, labels, fieldJumps);
}

/** The form that an instruction is encoded in, and whether by EVEX. Throws UnsupportedError where none fits. */
export function chooseForm(listing: Listing, instruction: Instruction): { form: Form; extended: boolean } {
  const forms = formsByName.get(instruction.name);
  if (forms === undefined) throw refusal(listing, instruction, "the table has no such instruction");
  const { operands, bits, mask } = instruction;
  const broadcast = operands.some((operand) => operand.kind === "memory" && operand.broadcast === true);
  const needsEvex =
    bits === 512 ||
    mask !== undefined ||
    broadcast ||
    operands.some((operand) => operand.kind === "vector" && operand.number > 15);
  for (const form of forms) {
    if (form.roles.length !== operands.length || !form.bits.includes(bits)) continue;
    if (needsEvex && !form.evex) continue;
    if (broadcast && form.broadcast === 0) continue;
    if (!form.roles.every((role, i) => fits(role, operands[i], bits, needsEvex || !form.vex))) continue;
    if (mask !== undefined) checkMask(listing, instruction, form);
    return { form, extended: form.evex && (needsEvex || !form.vex) };
  }
  const there = forms.map(
    ({ roles, bits }) => `${roles.map(({ letter }) => letter).join(",")} (${bits.join(", ")} bits)`,
  );
  throw refusal(listing, instruction, `there is ${[...new Set(there)].join("; ")}`);
}

const registerCounts = { gpr: 16, vector: 16, mask: 8, tile: 8 } as const;

function fits(role: Role, operand: Operand, bits: number, extended: boolean): boolean {
  switch (operand.kind) {
    case "memory":
      return role.memory && addressable(operand, role);
    case "immediate":
      return role.place === "immediate" && immediateFits(role, operand.value, bits);
    case "target":
      return role.place === "jump";
    default: {
      const count = operand.kind === "vector" && extended ? 32 : registerCounts[operand.kind];
      return role.register === operand.kind && operand.number >= 0 && operand.number < count;
    }
  }
}

function addressable(memory: Operand & { kind: "memory" }, role: Role): boolean {
  const withSib = role.letter === "MS";
  if (memory.displacement !== (memory.displacement | 0)) return false;
  if (memory.base === "pool") return memory.index === undefined && !withSib;
  const RSP = 4; // the SIB byte's "no index"
  if (memory.index === undefined ? withSib : memory.index === RSP || memory.index < 0 || memory.index > 15)
    return false;
  return memory.base >= 0 && memory.base <= 15;
}

function immediateFits(role: Role, value: number, bits: number): boolean {
  if (!Number.isSafeInteger(value)) return false;
  if (role.bytes === 8) return true;
  const half = 2 ** (8 * role.bytes! - 1);
  const signed = role.letter === "IS" || (role.bytes === 4 && bits === 64);
  return value >= -half && value < (signed ? half : 2 * half);
}

function checkMask(listing: Listing, instruction: Instruction, form: Form): void {
  const { number, zero } = instruction.mask!;
  if (!(number >= 1 && number <= 7)) throw refusal(listing, instruction, "write masks are k1 to k7");
  if (form.options.has("nomask")) throw refusal(listing, instruction, "it takes no write mask");
  const destination = instruction.operands[0].kind;
  if (zero && destination !== "vector")
    throw refusal(listing, instruction, `a ${destination} destination is merged into`);
}

/** Lays jumps out as short as they go, then fills in distances and appends the pool. */
function link(
  listing: Listing,
  code: Code,
  jumps: readonly Jump[],
  labels: ReadonlyMap<number, Place>,
  fieldJumps: readonly number[],
): Uint8Array<ArrayBuffer> {
  const isLong = jumps.map(() => false);
  const before: number[] = [];
  const longSize = (jump: Jump): number => jump.form.opcode.length + 4;
  const targets = jumps.map((jump) => {
    const target = labels.get(jump.label);
    if (target === undefined) throw refusal(listing, jump.instruction, "its label is nowhere");
    return target;
  });
  /** before[n]: bytes of the first n jumps. */
  const measure = (): void => {
    before[0] = 0;
    jumps.forEach((jump, i) => (before[i + 1] = before[i] + (isLong[i] ? longSize(jump) : 2)));
  };
  const addressOf = ({ offset, jumps }: Place): number => offset + before[jumps];
  const distance = (i: number): number => addressOf(targets[i]) - (jumps[i].offset + before[i + 1]);
  for (let changed = true; changed;) {
    measure();
    changed = false;
    for (let i = 0; i < jumps.length; i++) {
      if (isLong[i] || (distance(i) >= -128 && distance(i) <= 127)) continue;
      isLong[i] = changed = true;
    }
  }

  const codeBytes = code.bytes.length + before[jumps.length];
  const alignment = listing.pool.length === 0 ? 1 : POOL_ALIGNMENT;
  const poolAt = Math.ceil(codeBytes / alignment) * alignment;
  const out = new Uint8Array(poolAt + listing.pool.length).fill(INT3, codeBytes, poolAt);
  const view = new DataView(out.buffer);
  let from = 0;
  jumps.forEach((jump, i) => {
    out.set(code.bytes.slice(from, jump.offset), from + before[i]);
    const at = jump.offset + before[i];
    if (isLong[i]) {
      out.set(jump.form.opcode, at);
      view.setInt32(at + jump.form.opcode.length, distance(i), true);
    } else {
      // jcc rel32 is 0F 80+c, rel8 70+c; jmp rel32 is E9, rel8 EB.
      out[at] = jump.form.opcode.length === 2 ? jump.form.opcode[1] - 0x10 : 0xeb;
      view.setInt8(at + 1, distance(i));
    }
    from = jump.offset;
  });
  out.set(code.bytes.slice(from), from + before[jumps.length]);
  code.poolFields.forEach(({ at, end, displacement }, i) => {
    if (displacement < 0 || displacement >= listing.pool.length) {
      throw new UnsupportedError(
        `${listing.name}: a constant is read at ${displacement} of a pool of ${listing.pool.length} bytes.`,
      );
    }
    const shift = before[fieldJumps[i]];
    view.setInt32(at + shift, poolAt + displacement - (end + shift), true);
  });
  out.set(listing.pool, poolAt);
  return out;
}

function refusal(listing: Listing, instruction: Instruction, why: string): UnsupportedError {
  return new UnsupportedError(`${listing.name}: cannot encode ${showInstruction(instruction)}: ${why}.`);
}
