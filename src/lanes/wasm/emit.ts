// Emits kernels as one WebAssembly module: each an exported function (record, part, parts) over an imported shared
// memory, "host.memory", and the thread's scratch address, the imported global "host.scratch".
import type { Do, Statement, TracedKernel } from "../ir.ts";
import { type SpecialOperation, encodings, shuffleCode, signedLeb, unsignedLeb } from "./opcodes.ts";
import { type LocalKind, type Schedule, localKind, schedule } from "./schedule.ts";

const PARAMETERS = 3;
const kindCodes: Readonly<Record<LocalKind, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };
const kinds = Object.keys(kindCodes) as LocalKind[];

const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const EMPTY = 0x40;
/** "\0asm", version 1. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** The module's bytes. Functions are exported under their kernels' names. */
export function emitModule(kernels: readonly TracedKernel[], memoryPages: number): Uint8Array<ArrayBuffer> {
  const bodies = kernels.map(emitFunction);
  const pages = unsignedLeb(memoryPages);
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, [[0x60, PARAMETERS, 0x7f, 0x7f, 0x7f, 0]]),
    ...section(2, [
      [...name("host"), ...name("memory"), 0x02, 0x03, ...pages, ...pages], // shared, with a maximum
      [...name("host"), ...name("scratch"), 0x03, 0x7f, 0x00], // an i32 that does not change
    ]),
    ...section(
      3,
      kernels.map(() => [0]),
    ),
    ...section(
      7,
      kernels.map((kernel, i) => [...name(kernel.name), 0x00, ...unsignedLeb(i)]),
    ),
    ...section(
      10,
      bodies.map((body) => [...unsignedLeb(body.length), ...body]),
    ),
    ...nameSection(kernels),
  ]);
}

/** What profilers and stack traces call the functions. */
function nameSection(kernels: readonly TracedKernel[]): number[] {
  const names = kernels.flatMap((kernel, i) => [...unsignedLeb(i), ...name(kernel.name)]);
  const functions = [...unsignedLeb(kernels.length), ...names];
  const content = [...name("name"), 1, ...unsignedLeb(functions.length), ...functions];
  return [0, ...unsignedLeb(content.length), ...content];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [unsignedLeb(items.length), ...items].flat();
  return [id, ...unsignedLeb(content.length), ...content];
}

function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...unsignedLeb(bytes.length), ...bytes];
}

function emitFunction(kernel: TracedKernel): number[] {
  const plan = schedule(kernel);
  const emitter = new FunctionEmitter(kernel, plan);
  emitter.block(kernel.body);
  const groups = kinds.filter((kind) => plan.slotCounts[kind] > 0);
  const locals = groups.flatMap((kind) => [...unsignedLeb(plan.slotCounts[kind]), kindCodes[kind]]);
  return [...unsignedLeb(groups.length), ...locals, ...emitter.code, 0x0b];
}

class FunctionEmitter {
  readonly code: number[] = [];
  readonly #kernel: TracedKernel;
  readonly #plan: Schedule;
  readonly #firstLocal: Record<LocalKind, number>;

  constructor(kernel: TracedKernel, plan: Schedule) {
    this.#kernel = kernel;
    this.#plan = plan;
    const { i32, f32 } = plan.slotCounts;
    this.#firstLocal = { i32: PARAMETERS, f32: PARAMETERS + i32, v128: PARAMETERS + i32 + f32 };
  }

  block(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case "do":
      case "get": {
        const { result } = statement;
        if (result >= 0 && (this.#plan.inline.has(result) || !this.#plan.isUsed(result))) return;
        this.#compute(statement);
        if (result >= 0) this.#local(LOCAL_SET, result);
        return;
      }
      case "set":
        this.#value(statement.value);
        this.#local(LOCAL_SET, statement.variable);
        return;
      case "loop": {
        this.#value(statement.from);
        this.#local(LOCAL_TEE, statement.counter);
        this.#value(statement.to);
        this.code.push(0x48, 0x04, EMPTY, 0x03, EMPTY); // i32.lt_s, if, loop
        this.block(statement.body);
        this.#local(LOCAL_GET, statement.counter);
        this.#value(statement.step);
        this.code.push(0x6a); // i32.add
        this.#local(LOCAL_TEE, statement.counter);
        this.#value(statement.to);
        this.code.push(0x48, 0x0d, 0, 0x0b, 0x0b); // i32.lt_s, br_if 0, end, end
        return;
      }
      case "if":
        this.#value(statement.condition);
        this.code.push(0x04, EMPTY);
        this.block(statement.body);
        if (statement.otherwise.length > 0) this.code.push(0x05);
        this.block(statement.otherwise);
        this.code.push(0x0b);
        return;
      default:
        statement satisfies never;
    }
  }

  #local(code: number, id: number): void {
    const kind = localKind(this.#kernel.types[id]);
    this.code.push(code, ...unsignedLeb(this.#firstLocal[kind] + (this.#plan.slots.get(id) as number)));
  }

  /** Pushes a value. */
  #value(id: number): void {
    const statement = this.#plan.inline.get(id);
    if (statement === undefined) this.#local(LOCAL_GET, id);
    else this.#compute(statement);
  }

  #compute(statement: Statement): void {
    if (statement.kind === "get") return this.#local(LOCAL_GET, statement.variable);
    if (statement.kind !== "do") return;
    if (statement.op in specials) return this.#special(statement);
    const { code, order, immediate, after = [] } = encodings[statement.op as keyof typeof encodings];
    const { operands } = statement;
    for (const id of order === undefined ? operands : order.map((i) => operands[i])) this.#value(id);
    if (immediate === "pushed") this.code.push(0x41, ...signedLeb(statement.immediate));
    this.code.push(...code);
    // A hint of no alignment, then the offset: kernels load bytes from anywhere.
    if (immediate === "offset") this.code.push(0, ...unsignedLeb(statement.immediate), ...after);
    if (immediate === "lane") this.code.push(statement.immediate);
  }

  #special({ op, operands, immediate }: Do): void {
    for (const id of operands) this.#value(id);
    this.code.push(...specials[op as SpecialOperation](immediate));
  }
}

function bytesOf(value: number, type: "i32" | "f32"): number[] {
  const bytes = new DataView(new ArrayBuffer(4));
  if (type === "i32") bytes.setInt32(0, value, true);
  else bytes.setFloat32(0, value, true);
  return [...new Uint8Array(bytes.buffer)];
}

const v128Const = (bytes: number[]): number[] => [0xfd, 0x0c, ...bytes, ...bytes, ...bytes, ...bytes];
/** i8x16.shuffle of the register on top with a zero register. */
const gather = (byteAt: (i: number) => number): number[] => [...v128Const([0, 0, 0, 0]), ...shuffleCode(byteAt)];

const specials: Readonly<Record<SpecialOperation, (immediate: number) => number[]>> = {
  "int.const": (value) => [0x41, ...signedLeb(value)],
  "float.const": (value) => [0x43, ...bytesOf(value, "f32")],
  "ints.const": (value) => v128Const(bytesOf(value, "i32")),
  "floats.const": (value) => v128Const(bytesOf(value, "f32")),
  "int.parameter": (which) => [LOCAL_GET, which],
  "int.scratch": () => [0x23, 0],
  // bytes 0, 4, 8, 12 to the front, then v128.store32_lane 0
  "ints.store8": (offset) => [...gather((i) => i * 4), 0xfd, 0x5a, 0, ...unsignedLeb(offset), 0],
  // bytes 0 1, 4 5, 8 9, 12 13 to the front, then v128.store64_lane 0
  "ints.store16": (offset) => [...gather((i) => (i >> 1) * 4 + (i & 1)), 0xfd, 0x5b, 0, ...unsignedLeb(offset), 0],
  "floats.rotate": (distance) => gather((i) => i + 4 * distance),
  "memory.prefetch": () => [0x1a], // the address is dropped: there is no such instruction
};
