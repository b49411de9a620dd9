// Emits kernels as one WebAssembly module: each an exported function (record, part, parts) over an imported memory,
// "host.memory", and the thread's scratch address, the imported global "host.scratch". With ints of 64 bits the memory is
// a memory64; parameters and scratch stay i32, so records and scratch lie in the first 4 GB and JavaScript passes numbers.
import type { Do, Machine, Statement, TracedKernel } from "../ir.ts";
import {
  type SpecialOperation,
  type WordEncodings,
  shuffleCode,
  signedLeb,
  unsignedLeb,
  words as encodingsOfWord,
} from "./opcodes.ts";
import { type LocalKind, type Schedule, localKind, schedule } from "./schedule.ts";

const PARAMETERS = 3;
const kinds: readonly LocalKind[] = ["int", "float", "register"];

const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const EMPTY = 0x40;
/** "\0asm", version 1. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** The memory that a module is for. */
export interface MemoryKind {
  /** That of the machine for which the kernels were traced. Default 32. */
  readonly word?: Machine["word"];
  /** Default true; false where the host cannot share memory between threads. */
  readonly shared?: boolean;
}

/** The module's bytes, for a memory of so many pages of 64 KiB. Functions are exported under their kernels' names. */
export function emitModule(
  kernels: readonly TracedKernel[],
  memoryPages: number,
  { word = 32, shared = true }: MemoryKind = {},
): Uint8Array<ArrayBuffer> {
  const bodies = kernels.map((kernel) => emitFunction(kernel, encodingsOfWord[word]));
  const pages = unsignedLeb(memoryPages);
  const limits = 1 | (shared ? 2 : 0) | (word === 64 ? 4 : 0); // there is a maximum, shared, 64-bit addresses
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, [[0x60, PARAMETERS, 0x7f, 0x7f, 0x7f, 0]]),
    ...section(2, [
      [...name("host"), ...name("memory"), 0x02, limits, ...pages, ...pages],
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

function emitFunction(kernel: TracedKernel, word: WordEncodings): number[] {
  const plan = schedule(kernel);
  const emitter = new FunctionEmitter(kernel, plan, word);
  emitter.block(kernel.body);
  const kindCodes: Readonly<Record<LocalKind, number>> = { int: word.type, float: 0x7d, register: 0x7b };
  const groups = kinds.filter((kind) => plan.slotCounts[kind] > 0);
  const locals = groups.flatMap((kind) => [...unsignedLeb(plan.slotCounts[kind]), kindCodes[kind]]);
  return [...unsignedLeb(groups.length), ...locals, ...emitter.code, 0x0b];
}

class FunctionEmitter {
  readonly code: number[] = [];
  readonly #kernel: TracedKernel;
  readonly #plan: Schedule;
  readonly #word: WordEncodings;
  readonly #firstLocal: Record<LocalKind, number>;

  constructor(kernel: TracedKernel, plan: Schedule, word: WordEncodings) {
    this.#kernel = kernel;
    this.#plan = plan;
    this.#word = word;
    const { int, float } = plan.slotCounts;
    this.#firstLocal = { int: PARAMETERS, float: PARAMETERS + int, register: PARAMETERS + int + float };
  }

  block(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }

  #statement(statement: Statement): void {
    const { lessSigned, add, truth } = this.#word;
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
        this.code.push(lessSigned, 0x04, EMPTY, 0x03, EMPTY); // less, if, loop
        this.block(statement.body);
        this.#local(LOCAL_GET, statement.counter);
        this.#value(statement.step);
        this.code.push(add);
        this.#local(LOCAL_TEE, statement.counter);
        this.#value(statement.to);
        this.code.push(lessSigned, 0x0d, 0, 0x0b, 0x0b); // less, br_if 0, end, end
        return;
      }
      case "if":
        this.#value(statement.condition);
        this.code.push(...truth, 0x04, EMPTY);
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
    const {
      code,
      order,
      immediate,
      after = [],
    } = this.#word.encodings[statement.op as keyof WordEncodings["encodings"]];
    const { operands } = statement;
    for (const id of order === undefined ? operands : order.map((i) => operands[i])) this.#value(id);
    if (immediate === "pushed") this.code.push(0x41, ...signedLeb(statement.immediate));
    this.code.push(...code);
    // A hint of no alignment, then the offset: kernels load bytes from anywhere.
    if (immediate === "offset") this.code.push(0, ...unsignedLeb(statement.immediate), ...after);
    if (immediate === "lane") this.code.push(statement.immediate, ...after);
  }

  #special({ op, operands, immediate }: Do): void {
    for (const id of operands) this.#value(id);
    this.code.push(...specials[op as SpecialOperation](immediate, this.#word, this.#kernel.tables));
  }
}

function bytesOf(value: number, type: "i32" | "f32"): number[] {
  const bytes = new DataView(new ArrayBuffer(4));
  if (type === "i32") bytes.setInt32(0, value, true);
  else bytes.setFloat32(0, value, true);
  return [...new Uint8Array(bytes.buffer)];
}

const v128Const = (bytes: readonly number[]): number[] => [0xfd, 0x0c, ...bytes];
const equalLanes = (bytes: readonly number[]): number[] => v128Const([...bytes, ...bytes, ...bytes, ...bytes]);
/** i8x16.shuffle of the register on top with a zero register. */
const gather = (byteAt: (i: number) => number): number[] => [...equalLanes([0, 0, 0, 0]), ...shuffleCode(byteAt)];

type Special = (immediate: number, word: WordEncodings, tables: TracedKernel["tables"]) => number[];

const specials: Readonly<Record<SpecialOperation, Special>> = {
  "int.const": (value, word) => [word.const, ...signedLeb(value)],
  "float.const": (value) => [0x43, ...bytesOf(value, "f32")],
  "ints.const": (value) => equalLanes(bytesOf(value, "i32")),
  "floats.const": (value) => equalLanes(bytesOf(value, "f32")),
  "ints.table": (index, _, tables) => v128Const(tables[index]),
  "int.parameter": (which, { extend }) => [LOCAL_GET, which, ...extend],
  "int.scratch": (_, { extend }) => [0x23, 0, ...extend],
  // bytes 0, 4, 8, 12 to the front, then v128.store32_lane 0
  "ints.store8": (offset) => [...gather((i) => i * 4), 0xfd, 0x5a, 0, ...unsignedLeb(offset), 0],
  // bytes 0 1, 4 5, 8 9, 12 13 to the front, then v128.store64_lane 0
  "ints.store16": (offset) => [...gather((i) => (i >> 1) * 4 + (i & 1)), 0xfd, 0x5b, 0, ...unsignedLeb(offset), 0],
  "floats.rotate": (distance) => gather((i) => i + 4 * distance),
  "memory.prefetch": () => [0x1a], // the address is dropped: there is no such instruction
};
