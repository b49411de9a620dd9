// How an instruction on vectors and masks reaches its operands: sources become slots of the register file, the operation
// writes the result slot, and that is written to the destination under the write mask, the rest of the register zeroed.
// Not here: the operations (floats.ts, ints.ts, moves.ts, convert.ts, masks.ts).
import { memoryBytes } from "../../../src/lanes/x64/encode.ts";
import { type Decoded, type Step, addressOf, immediateOf } from "./operands.ts";
import { RESULT_SLOT, SOURCE_SLOT, type State, VECTOR_BYTES } from "./state.ts";

/** One execution of an operation. Places are byte offsets in the register file. */
export interface Call {
  readonly state: State;
  readonly out: number;
  /** The destination as it was. */
  readonly dest: number;
  /** Sources in the order of operands after the destination. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** How many there are. */
  readonly sources: number;
  /** Bytes of a whole vector here. */
  readonly bytes: number;
  readonly immediate: number;
  /** A general register's bits, where one is an operand. */
  readonly gprBits: number;
  readonly name: string;
}

export interface Operation {
  /** Bytes of a destination's lane, which a mask's bit stands for. */
  readonly lane: 1 | 2 | 4 | 8;
  /** Lanes outside the mask come from the first source (vblendmps). */
  readonly mergesFirst?: true;
  /** Only the lowest lane is under the mask. */
  readonly scalar?: true;
  /** A lane of the result may come from any lane of a source. */
  readonly shuffles?: true;
  /** There is no destination: the operation sets flags. */
  readonly setsFlags?: true;
  readonly run: (call: Call) => void;
}

/** Brings a source into a slot (a register is its own) and says where: called at each execution. */
function source(decoded: Decoded, i: number, slot: number, operation: Operation): { at: number; fetch?: () => void } {
  const { state, instruction, form } = decoded;
  const operand = instruction.operands[i];
  const at = slot * VECTOR_BYTES;
  switch (operand.kind) {
    case "vector":
      return { at: operand.number * VECTOR_BYTES };
    case "gpr":
      return { at, fetch: () => void (state.u64[at >> 3] = state.gpr[operand.number]) };
    case "mask":
      return {
        at,
        fetch: () => {
          for (const word of [0, 1]) state.i32[(at >> 2) + word] = state.masks[2 * operand.number + word];
        },
      };
    case "memory": {
      const bytes = memoryBytes(form.roles[i], form, instruction, operand);
      const address = addressOf(state, operand);
      const inPool = operand.base === "pool";
      if (operand.broadcast === true) {
        const copies = instruction.bits / 8 / bytes;
        return {
          at,
          fetch: () => {
            state.read(address(), bytes, slot, inPool);
            for (let copy = 1; copy < copies; copy++) state.copy(at + copy * bytes, at, bytes);
          },
        };
      }
      if (instruction.mask !== undefined && form.roles[i].bytes === undefined && operation.shuffles !== true) {
        const lanes = instruction.bits / 8 / form.roles[0].part / operation.lane;
        const element = Math.max(1, bytes / lanes);
        const { number } = instruction.mask;
        // What is outside the mask is not read, so it may lie outside of memory.
        return {
          at,
          fetch: () => {
            state.clear(at, VECTOR_BYTES);
            for (let lane = 0; lane * element < bytes; lane++) {
              if (!isSet(state, number, lane)) continue;
              state.read(address() + lane * element, element, RESULT_SLOT, inPool);
              const from = RESULT_SLOT * VECTOR_BYTES;
              state.u8.copyWithin(at + lane * element, from, from + element);
            }
          },
        };
      }
      return { at, fetch: () => state.read(address(), bytes, slot, inPool) };
    }
    default:
      throw new Error(`${instruction.name}: a ${operand.kind} is no source`);
  }
}

const isSet = (state: State, mask: number, lane: number): boolean =>
  ((state.masks[2 * mask + (lane >> 5)] >>> (lane & 31)) & 1) === 1;

/** Compiles one instruction of an operation. */
export function vectorStep(decoded: Decoded, operation: Operation): Step {
  const { state, instruction } = decoded;
  const first = operation.setsFlags === true ? 0 : 1;
  const sources = instruction.operands
    .map((operand, i) => ({ operand, i }))
    .filter(({ operand, i }) => i >= first && operand.kind !== "immediate")
    .map(({ i }, n) => source(decoded, i, SOURCE_SLOT + n, operation));
  const fetches = sources.flatMap(({ fetch }) => (fetch === undefined ? [] : [fetch]));
  const [destination] = instruction.operands;
  const out = RESULT_SLOT * VECTOR_BYTES;
  const call: Call = {
    state,
    out,
    dest: destination?.kind === "vector" ? destination.number * VECTOR_BYTES : out,
    a: sources[0]?.at ?? 0,
    b: sources[1]?.at ?? 0,
    c: sources[2]?.at ?? 0,
    sources: sources.length,
    bytes: Math.max(16, instruction.bits / 8),
    immediate: immediateOf(decoded) & 255,
    gprBits: instruction.bits,
    name: instruction.name,
  };
  const commit = operation.setsFlags === true ? undefined : writer(decoded, operation, call);
  const { run } = operation;
  return () => {
    for (let i = 0; i < fetches.length; i++) fetches[i]();
    state.clear(out, VECTOR_BYTES);
    run(call);
    commit?.();
  };
}

/** Writes the result slot to the destination. */
function writer(decoded: Decoded, operation: Operation, call: Call): () => void {
  const { state, instruction, form } = decoded;
  const { out, bytes } = call;
  const [operand] = instruction.operands;
  const [role] = form.roles;
  const width = role.bytes ?? bytes / role.part;
  switch (operand.kind) {
    case "gpr":
      return () => {
        const whole = (role.bytes ?? instruction.bits / 8) === 8;
        state.gpr[operand.number] = whole ? state.u64[out >> 3] : BigInt(state.u32[out >> 2]);
      };
    case "mask":
      return () => {
        for (const word of [0, 1]) {
          const under = instruction.mask === undefined ? -1 : state.masks[2 * instruction.mask.number + word];
          state.masks[2 * operand.number + word] = state.i32[(out >> 2) + word] & under;
        }
      };
    case "memory": {
      const address = addressOf(state, operand);
      const size = memoryBytes(role, form, instruction, operand);
      const { mask } = instruction;
      if (mask === undefined) return () => state.write(address(), size, out);
      return () => {
        for (let lane = 0; lane * operation.lane < size; lane++) {
          const at = lane * operation.lane;
          if (isSet(state, mask.number, lane)) state.write(address() + at, operation.lane, out + at);
        }
      };
    }
    case "vector": {
      const to = operand.number * VECTOR_BYTES;
      const { mask } = instruction;
      return () => {
        if (mask !== undefined) mergeUnset(decoded, operation, call, width);
        state.copy(to, out, width);
        state.clear(to + width, VECTOR_BYTES - width);
      };
    }
    default:
      throw new Error(`${instruction.name}: a ${operand.kind} is no destination`);
  }
}

/** Gives the result's lanes that are outside the mask their old value, or zero. */
function mergeUnset({ state, instruction }: Decoded, operation: Operation, call: Call, width: number): void {
  const { number, zero } = instruction.mask!;
  const { lane } = operation;
  const old = operation.mergesFirst === true ? call.a : call.dest;
  const lanes = operation.scalar === true ? 1 : width / lane;
  for (let i = 0; i < lanes; i++) {
    if (isSet(state, number, i)) continue;
    const at = call.out + i * lane;
    if (zero) state.u8.fill(0, at, at + lane);
    else state.u8.copyWithin(at, old + i * lane, old + (i + 1) * lane);
  }
}
