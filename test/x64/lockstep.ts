// An executor that runs a model's programs on one thread, each step twice: interpreted, and its machine code emulated, over two memories
// that are compared byte by byte after every step. So kernels are checked with the records and shapes that lowering
// gives them, packing included, on machines that this processor need not be.
import assert from "node:assert/strict";
import type { Executor, ParameterStore, Program } from "../../src/device/executor.ts";
import { STEP_WORDS } from "../../src/device/cpu/control.ts";
import { packKernels } from "../../src/device/cpu/kernels/pack.ts";
import { SCRATCH_BYTES } from "../../src/device/cpu/layout.ts";
import { GROUP_ROWS, packedFormat } from "../../src/device/cpu/packed-layouts.ts";
import { type PlacedModel, type PlacedProgram, placeModel } from "../../src/device/cpu/place-model.ts";
import { EncodedProgram, createProgram, setWord } from "../../src/device/cpu/program.ts";
import type { Place } from "../../src/device/cpu/step.ts";
import type { Tier } from "../../src/device/cpu/tiers.ts";
import { memoryTarget } from "../../src/device/cpu/weight-targets.ts";
import { type PackRequest, fillImage } from "../../src/device/cpu/weights.ts";
import { type Kernel, createWasmMemory, interpreter } from "../../src/lanes/index.ts";
import { type Emulated, emulator } from "./emulator/emulate.ts";
import type { MachineCode } from "./machine-code.ts";

/** Of a WebAssembly memory, which programs want; nothing runs in it. */
const PAGE = 65536;
/** Of bytes that nobody has written: a number that is none. */
const JUNK = 0x7fe5a5a5;

interface Twin {
  readonly interpreted: (record: number, part: number, parts: number) => void;
  readonly emulated: Emulated;
}

export interface LockstepOptions {
  readonly precision: "f32" | "fast";
  /**
   * What was run with the same data, as text: a model whose steps and instructions are all the same, as those of similar
   * machines often are, is not run again.
   */
  readonly done: Set<string>;
}

/** Runs throw AssertionError at the first step whose bytes differ. */
export function createLockstepExecutor(code: MachineCode, { precision, done }: LockstepOptions): Executor {
  const { machine } = code;
  const tier = { name: "amx", machine, compile: () => assert.fail("nothing is compiled here") } as const satisfies Tier;
  return {
    name: "cpu",
    tier: `${code.tier}, emulated`,
    plan: () => assert.fail("nothing is planned here"),
    async open(store, graphs, options = {}) {
      const placed = await placeModel(store, graphs, { ...options, threads: 1, precision }, tier);
      const text = textOf(placed.model, code);
      const isDone = done.has(text);
      done.add(text);
      const pair = new Pair(placed.model, code, isDone);
      if (!isDone) await pair.loadWeights(store);
      const entries = Object.keys(graphs).map((name, i) => [name, pair.program(name, placed.model.programs[i])]);
      return {
        programs: Object.fromEntries(entries),
        memory: placed.use,
        threads: 1,
        states: {},
        copyRows: () => assert.fail("nothing is copied here"),
        weights: { from: "packed" },
        close: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

const packersOf = ({ image }: PlacedModel): Kernel[] =>
  image.forms.filter(({ form }) => form === "packed").map(({ stored }) => packKernels[packedFormat(stored.format)]);

/** All that a model's runs are made of, but for data. */
function textOf(model: PlacedModel, code: MachineCode): string {
  const steps = model.programs.flatMap((program) => program.steps);
  return JSON.stringify([
    packersOf(model).map((kernel) => code.codeOf(kernel).text),
    steps.map(({ kernel, words }) => [code.codeOf(kernel).text, words]),
  ]);
}

/** A model in two memories. */
class Pair {
  readonly #model: PlacedModel;
  readonly #code: MachineCode;
  /** Programs do nothing. */
  readonly #isDone: boolean;
  readonly #weightBase: number;
  readonly #memory: WebAssembly.Memory;
  readonly #expected: Uint8Array;
  readonly #found: Uint8Array;
  readonly #twins = new Map<Kernel, Twin>();

  constructor(model: PlacedModel, code: MachineCode, isDone: boolean) {
    this.#model = model;
    this.#code = code;
    this.#isDone = isDone;
    // Weights lie where the windows are that nobody packs through here.
    this.#weightBase =
      Math.ceil(Math.max(model.arena + model.arenaBytes + PAGE, model.windows.offsets[0]) / PAGE) * PAGE;
    const pages = Math.ceil((this.#weightBase + model.image.bytes) / PAGE) + 1;
    this.#memory = createWasmMemory({ pages, word: 32, shared: true });
    this.#expected = new Uint8Array(this.#memory.buffer);
    for (const [start, bytes] of [
      [model.arena, model.arenaBytes],
      [model.scratch[0], SCRATCH_BYTES],
    ]) {
      new Uint32Array(this.#expected.buffer, start, Math.floor(bytes / 4)).fill(JUNK);
    }
    this.#found = this.#expected.slice();
  }

  /** Packs all weights, by kernels too. */
  async loadWeights(store: ParameterStore): Promise<void> {
    const { image, staging, packStep } = this.#model;
    const view = (offset: number, bytes: number): Uint8Array => new Uint8Array(this.#expected.buffer, offset, bytes);
    const places = staging.offsets.map((address) => ({ address, view: view(address, staging.bytes) }));
    const weights = memoryTarget(image.bytes, (offset, bytes) => {
      const address = this.#weightBase + offset;
      return { address, view: view(address, bytes) };
    });
    const pack = async ({ format, source, target, rows, blocks }: PackRequest): Promise<void> => {
      const kernel = packKernels[format];
      this.#writeRecord(packStep, [source, target, rows, blocks]);
      this.#found.set(this.#expected);
      this.#step(`packing ${format}`, kernel, packStep, Math.ceil(rows / GROUP_ROWS));
    };
    await fillImage(store, image.forms, weights, [places[0], places[1]], pack, {});
    this.#found.set(this.#expected);
  }

  program(name: string, program: PlacedProgram): Program {
    const { graph, addresses } = program;
    const { machine } = this.#model;
    const words = new Int32Array(this.#expected.buffer);
    const kernels = program.steps.map(({ kernel }) => kernel);
    const encoded = new EncodedProgram(
      program,
      addresses,
      words,
      machine.word,
      (place) => this.#addressOf(place, program),
      (kernel) => kernels.indexOf(kernel),
    );
    return createProgram(graph, addresses, this.#memory, async (extents) => {
      if (this.#isDone) return;
      encoded.bind(extents);
      this.#found.set(this.#expected);
      for (let i = 0; i < encoded.stepCount; i++) {
        const [kernel, record, parts] = words.subarray(encoded.table / 4 + i * STEP_WORDS);
        this.#step(`${name}, step ${i}`, kernels[kernel], record, parts);
      }
    });
  }

  #writeRecord(at: number, values: readonly number[]): void {
    const wordBytes = this.#model.machine.word / 8;
    values.forEach((value, i) => setWord(new Int32Array(this.#expected.buffer), wordBytes, at + i * wordBytes, value));
  }

  #step(where: string, kernel: Kernel, record: number, parts: number): void {
    const twin = this.#twinOf(kernel);
    const scratch = this.#model.scratch[0];
    for (let part = parts - 1; part >= 0; part--) {
      twin.interpreted(record, part, parts);
      twin.emulated({ record, part, parts, scratch });
    }
    this.#compare(`${where}: ${kernel.name}`);
  }

  /** Everything but scratch, which holds nothing between calls. */
  #compare(where: string): void {
    const from = this.#model.scratch[0] + SCRATCH_BYTES;
    const [expected, found] = [this.#expected, this.#found].map((bytes) => Buffer.from(bytes.buffer, from));
    if (expected.equals(found)) return;
    const at = expected.findIndex((byte, i) => byte !== found[i]) & ~3;
    const show = (bytes: Buffer): string => `${bytes.readUInt32LE(at).toString(16)} (${bytes.readFloatLE(at)})`;
    assert.fail(`${where}: at ${at + from} machine code leaves ${show(found)}, the interpreter ${show(expected)}`);
  }

  #twinOf(kernel: Kernel): Twin {
    const known = this.#twins.get(kernel);
    if (known !== undefined) return known;
    const { machine, scratch } = this.#model;
    const { traced, listing } = this.#code.codeOf(kernel);
    const interpreted = interpreter(traced, machine, this.#expected.buffer);
    const twin: Twin = {
      interpreted: (record, part, parts) => interpreted({ record, part, parts, scratch: scratch[0] }),
      emulated: emulator(listing, this.#found.buffer, this.#code.convention),
    };
    this.#twins.set(kernel, twin);
    return twin;
  }

  #addressOf(place: Place, { addresses, plan }: PlacedProgram): number {
    const { arena, states, image } = this.#model;
    if (place.kind === "arena") return arena + plan.offsets[place.index];
    if (place.kind === "packed" || place.kind === "plain") {
      return this.#weightBase + image.weights.get(place.name)![place.kind]!;
    }
    if (place.kind === "state") return states.get(place.name)!.offset;
    return { input: addresses.inputs, table: addresses.tables, output: addresses.outputs }[place.kind].get(place.name)!;
  }
}
