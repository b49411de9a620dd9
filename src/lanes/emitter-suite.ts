// What every emitter's tests share: each operation, loops, conditions, variables, the order of memory, shares and random
// programs, in emitted code against the interpreter, bit for bit.
import assert from "node:assert/strict";
import { it } from "node:test";
import { philox } from "../base/random.ts";
import { type Kernel, defineKernel, traceKernel } from "./builder.ts";
import { interpret } from "./interpret.ts";
import { type Machine, type OperationName, type TracedKernel, operations } from "./ir.ts";
import { Float, Floats, Int, Ints } from "./values.ts";

/** Memory that emitted code runs over. */
export interface TestHost {
  readonly machine: Machine;
  readonly memory: ArrayBufferLike;
  /** The address of its first byte. */
  readonly base: number;
  /** `scratch` is an address. */
  compile(kernel: Kernel, scratch: number): (record: number, part: number, parts: number) => void;
}

type TestKernel = Kernel<"input" | "out">;

/** What a test host's memory has. */
export const TEST_BYTES = 8192;
const IN = 256;
const OUT = 2048;
const SCRATCH = 4096;
const SPECIAL = [0, -0, 1, -1, 0.5, 1.5, 2.5, -2.5, 1e-40, 3e38, Infinity, -Infinity, NaN, 2 ** 23 + 1, 2 ** 31, 65520];

/** Writes a record of addresses at the beginning of a memory. */
function setRecord({ word }: Machine, memory: ArrayBufferLike, values: readonly number[]): void {
  if (word === 64) new BigInt64Array(memory).set(values.map(BigInt));
  else new Int32Array(memory).set(values);
}

/** Runs a kernel emitted and interpreted over equal memories (words 0 and 1: IN and OUT); both must end equal. */
export function runsTheSame(
  kernel: TestKernel,
  host: TestHost,
  fill: (view: DataView) => void,
  { parts = 1, normalize = normalizeNaN }: { parts?: number; normalize?: (word: number) => number } = {},
): void {
  const { machine, memory, base } = host;
  const twin = new ArrayBuffer(TEST_BYTES);
  new Uint8Array(memory, 0, TEST_BYTES).fill(0);
  for (const buffer of [memory, twin]) {
    fill(new DataView(buffer));
    const start = buffer === twin ? 0 : base;
    setRecord(machine, buffer, [start + IN, start + OUT]);
  }
  const { run, traced } = prepare(kernel, host);
  for (let part = 0; part < parts; part++) {
    run(base, part, parts);
    interpret(traced, machine, twin, { record: 0, part, parts, scratch: SCRATCH });
  }
  const after = (buffer: ArrayBufferLike): number[] =>
    [...new Uint32Array(buffer, IN, (TEST_BYTES - IN) / 4)].map(normalize);
  assert.deepEqual(after(memory), after(twin));
}

interface Prepared {
  readonly run: ReturnType<TestHost["compile"]>;
  readonly traced: TracedKernel;
}

const prepared = new WeakMap<TestHost, WeakMap<TestKernel, Prepared>>();

/** A kernel compiled for a host and traced for the interpreter, once. */
function prepare(kernel: TestKernel, host: TestHost): Prepared {
  const kernels = prepared.get(host) ?? new WeakMap<TestKernel, Prepared>();
  prepared.set(host, kernels);
  const made = kernels.get(kernel) ?? {
    run: host.compile(kernel, host.base + SCRATCH),
    traced: traceKernel(kernel, host.machine),
  };
  kernels.set(kernel, made);
  return made;
}

/** NaNs have many bit patterns, all of them right. */
const normalizeNaN = (bits: number): number => ((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits);
/** The same of two f16 numbers. */
const normalizeHalves = (word: number): number => {
  const half = (bits: number): number => ((bits & 0x7fff) > 0x7c00 ? 0x7e00 : bits);
  return half(word & 0xffff) | (half(word >>> 16) << 16);
};

export function fillWith(seed: number, kind: "floats" | "ints") {
  return (view: DataView): void => {
    for (let i = 0; i < 128; i++) {
      const [a, b] = philox(seed, 0, i);
      const float = i % 3 === 0 ? SPECIAL[a % SPECIAL.length] : ((a - 2 ** 31) / 2 ** 31) * 2 ** ((b % 40) - 20);
      if (kind === "floats") view.setFloat32(IN + i * 4, float, true);
      else view.setUint32(IN + i * 4, i % 5 === 0 ? [0, 0x80808080, 0x7f7f7f7f, 0xffffffff, 1][a % 5] : a, true);
    }
  };
}

/**
 * A kernel that applies one operation to loaded operands, eight times, with an immediate of its own each time. Ints are
 * shifted by less than 32, to the right without a sign: else it shows how wide they are.
 */
function operationKernel(op: OperationName): TestKernel {
  return defineKernel(`one ${op}`, ["input", "out"], (k, { input, out }) => {
    const [result, ...types] = operations[op];
    const isMemory = op.includes("load") || op.includes("store") || op === "memory.prefetch";
    for (let i = 0; i < 8; i++) {
      const at = i * 24;
      const operands = types.map((type, n) => {
        if (isMemory && n === 0) return result === "none" ? out : input;
        const offset = at + n * 16;
        if (op === "int.shl" && n === 1) return input.loadInt(offset).and(31);
        if (op === "int.shrU") return n === 0 ? input.loadHalf(offset) : input.loadInt(offset).and(31);
        if (/^int\.(div|rem)U$/.test(op)) return input.loadHalf(offset).add(n);
        if (type === "int") return input.loadInt(offset);
        if (type === "float") return input.loadFloat(offset);
        return type === "ints" ? input.loadInts(offset) : input.loadFloats(offset);
      });
      const isLane = /lane/i.test(op);
      const place = i * (op === "floats.storeOnce" ? 64 : 16);
      const immediate = isMemory ? place : isLane ? (i * 3) % k.lanes : /Halves|\.sh/.test(op) ? i + 1 : 1 << (i % 3);
      const distance = Math.min(immediate, k.lanes / 2);
      const id = k.apply(op, operands, op === "floats.rotate" ? distance : immediate);
      if (result === "none") continue;
      const value = { int: Int, float: Float, ints: Ints, floats: Floats }[result];
      // lanes that a rotation leaves undefined do not count
      if (op === "floats.rotate") {
        for (let lane = 0; lane < distance; lane++) out.store(new Floats(k, id).lane(lane), i * 32 + lane * 4);
      } else out.store(new value(k, id), i * 16);
    }
  });
}

const elsewhere: readonly OperationName[] = [
  "int.parameter",
  "int.scratch",
  "ints.table",
  "ints.lookup",
  "ints.dotBytes",
  "ints.dotPairs",
];

/** Whether a machine has an operation that is tested on its own. */
function isTested(op: OperationName, machine: Machine): boolean {
  if (elsewhere.includes(op) || op.startsWith("tile.")) return false;
  // records are words, loaded in every test; random ones are no exact numbers for the interpreter
  if (op === "int.loadWord") return machine.word === 32;
  if (op.endsWith("F16")) return machine.f16;
  if (op === "ints.pairBf16") return machine.bf16;
  return op !== "floats.madd" || machine.madd !== "none";
}

/** The tests of code that an emitter makes for a machine; call it inside of `describe`. */
export function testEmitter(host: TestHost): void {
  const { machine } = host;
  for (const op of Object.keys(operations) as OperationName[]) {
    if (!isTested(op, machine)) continue;
    it(`in ${op}`, () => {
      const kernel = operationKernel(op);
      const normalize = op === "floats.storeF16" ? normalizeHalves : normalizeNaN;
      for (let seed = 0; seed < 20; seed++) {
        // operands of both kinds of bits, whatever the type
        runsTheSame(kernel, host, fillWith(seed, seed % 2 === 0 ? "floats" : "ints"), { normalize });
      }
    });
  }

  for (const bits of [7, 8] as const) {
    it(`in byte products with ${bits}-bit unsigned bytes, which are exact`, () => {
      const kernel = defineKernel("dot", ["input", "out"], (_, { input, out }) => {
        for (let i = 0; i < 4; i++) {
          const unsigned = input.loadInts(64 + i * 16).and(bits === 7 ? 0x7f7f7f7f : -1);
          out.store(input.loadInts(i * 16).dotBytes(input.loadInts(16), unsigned, bits), i * 64);
          out.store(input.loadInts(i * 16).dotBytes(input.splatInts(20), unsigned, bits), i * 64 + 256);
        }
      });
      for (let seed = 0; seed < 20; seed++) runsTheSame(kernel, host, fillWith(seed, "ints"));
    });
  }

  it("in bytes that are looked up in tables", () => {
    const kernel = defineKernel("lookups", ["input", "out"], (k, { input, out }) => {
      const [squares, signed] = [(i: number) => i * i, (i: number) => -8 * i].map((of) =>
        k.table(Array.from({ length: 16 }, (_, i) => of(i))),
      );
      for (let i = 0; i < 4; i++) {
        const codes = input.loadInts(i * 16).and(0x0f0f0f0f);
        out.store(codes.lookup(squares), i * 128);
        out.store(codes.lookup(signed).add(codes.shr(4).and(0x07070707).lookup(squares)), i * 128 + 64);
      }
    });
    for (let seed = 0; seed < 20; seed++) runsTheSame(kernel, host, fillWith(seed, "ints"));
  });

  if (machine.dot === "i7") {
    it("in pairs of byte products", () => {
      const kernel = defineKernel("pairs", ["input", "out"], (_, { input, out }) => {
        for (let i = 0; i < 4; i++) {
          const unsigned = input.loadInts(64 + i * 16).and(0x7f7f7f7f);
          const pairs = input.loadInts(i * 16).dotPairs(unsigned);
          out.store(pairs.addHalves(input.splatInts(20).dotPairs(unsigned)), i * 64);
        }
      });
      for (let seed = 0; seed < 20; seed++) runsTheSame(kernel, host, fillWith(seed, "ints"));
    });
  }

  it("in loops, conditions and variables that cross them", () => {
    const kernel = defineKernel("control", ["input", "out"], (k, { input, out }) => {
      const sums = k.variables(3, k.floats(0));
      const count = k.variable(k.int(0));
      k.range(0, 5, 1, (i) => {
        const before = count.value;
        k.range(i, 7, 2, (j) => {
          const x = input.add(i.mul(16)).loadFloats();
          k.when(
            i.and(1).equals(j.and(1)),
            () => (sums[0].value = sums[0].value.add(x)),
            () => (sums[1].value = x),
          );
          count.value = count.value.add(j);
        });
        out.add(i.mul(4)).store(count.value.sub(before), 512);
        sums[2].value = sums[2].value.add(before.toFloat().splat());
      });
      k.range(3, 3, 1, () => out.store(k.int(99), 600)); // never runs
      for (const [i, sum] of sums.entries()) out.store(sum.value, i * 64);
      k.scratch.store(count.value);
      out.store(sums[0].value.sum(), 256);
      out.store(sums[0].value.maximum(), 260);
    });
    for (let seed = 0; seed < 5; seed++) runsTheSame(kernel, host, fillWith(seed * 2, "ints"));
  });

  it("in a value that is read before and after its memory changes", () => {
    const kernel = defineKernel("order", ["input", "out"], (k, { input, out }) => {
      const variable = k.variable(input.loadInt());
      const [early, held] = [input.loadInt(4), variable.value];
      const lanes = input.loadFloats(64);
      input.store(k.int(7), 4);
      input.store(k.floats(3), 64);
      variable.value = k.int(9);
      out.store(early.add(held));
      out.store(input.loadInt(4).add(variable.value), 4);
      out.store(lanes.add(input.loadFloats(64)), 64);
    });
    runsTheSame(kernel, host, fillWith(1, "ints"));
  });

  it("in comparisons of constants with words that are read for them alone", () => {
    const kernel = defineKernel("constants first", ["input", "out"], (k, { input, out }) => {
      for (let i = 0; i < 4; i++) {
        const word = (): Int => input.loadWord(i * 8);
        out.store(k.int(2).less(word()), i * 16);
        out.store(k.int(2).equals(word()), i * 16 + 4);
        out.store(k.int(2).less(word()).select(5, 6), i * 16 + 8);
        k.when(k.int(2).equals(word()), () => out.store(k.int(7), i * 16 + 12));
      }
    });
    runsTheSame(kernel, host, (view) => {
      for (let i = 0; i < 4; i++) view.setUint32(IN + i * 8, i, true);
    });
  });

  it("in shares, which cover every unit once whatever the number of parts", () => {
    const kernel = defineKernel("share", ["input", "out"], (k, { out }) => {
      k.share(13, (first, end) => {
        k.range(first, end, 1, (i) => {
          const at = out.add(i.mul(4));
          at.store(at.loadInt().add(1));
        });
      });
    });
    const check = (parts: number): void => runsTheSame(kernel, host, () => {}, { parts });
    [1, 2, 3, 13, 14].forEach(check);
    const found = new Int32Array(host.memory, OUT, 15);
    assert.deepEqual([...found], [...Array<number>(13).fill(1), 0, 0]);
  });

  it("in tiles", { skip: !machine.tiles && "the machine has none" }, () => {
    const kernel = defineKernel("tiles", ["input", "out"], (k, { input, out }) => {
      const sums = k.scratch.add(1024);
      k.tiles.zero(0);
      k.tiles.load(1, input, 16);
      k.tiles.load(2, input.add(64), 16);
      k.range(0, 3, 1, (i) => {
        k.tiles.load(3, input.add(i.mul(8)), k.part.add(20));
        k.tiles.dotBf16(0, 1, 2);
        k.tiles.dotBf16(0, 3, 2);
      });
      k.tiles.store(0, sums, 64);
      k.range(0, 1024, 4 * k.lanes, (at) => out.add(at).store(sums.add(at).loadFloats()));
    });
    for (let seed = 0; seed < 5; seed++) runsTheSame(kernel, host, fillWith(seed, "floats"));
  });

  it("in more comparisons at once than there are mask registers", () => {
    const kernel = defineKernel("masks", ["input", "out"], (k, { input, out }) => {
      const values = Array.from({ length: 12 }, (_, i) => input.loadInts(i * 16));
      const masks = values.map((value, i) => value.greater(values[(i + 5) % 12]));
      k.range(0, 3, 1, (i) => {
        for (const [n, mask] of masks.entries()) out.add(i.mul(16)).store(mask.select(values[n], i.splat()), n * 64);
      });
    });
    for (let seed = 0; seed < 5; seed++) runsTheSame(kernel, host, fillWith(seed, "ints"));
  });

  it("in random programs with more values than there are registers", () => {
    for (let seed = 0; seed < 16; seed++) runsTheSame(randomKernel(seed), host, fillWith(seed, "ints"));
  });
}

/** Values of all types, made of each other in random order and stored at the end, some in a loop, some under a condition. */
function randomKernel(seed: number): TestKernel {
  return defineKernel(`random ${seed}`, ["input", "out"], (k, { input, out }) => {
    let draws = 0;
    const draw = (below: number): number => philox(seed, 1, draws++)[0] % below;
    const ints: Int[] = [];
    const lanes: Ints[] = [];
    const floats: Floats[] = [];
    const anyOf = <T>(values: readonly T[]): T => values[draw(values.length)];
    const makers: (() => unknown)[] = [
      () => ints.push(input.loadInt(draw(64) * 4).and(0xffff)),
      () => ints.push(anyOf(ints).add(anyOf(ints)).and(0xfffff)),
      () => ints.push(anyOf(ints).min(anyOf(ints))),
      () => ints.push(anyOf(ints).less(anyOf(ints)).select(anyOf(ints), draw(100))),
      () => ints.push(anyOf(ints).mul(draw(9)).add(draw(50)).and(0xffff)),
      () => ints.push(anyOf(ints).div(anyOf(ints).and(15).add(1))),
      () => lanes.push(input.loadInts(draw(32) * 4)),
      () => lanes.push(input.splatInts(draw(32) * 4)),
      () => lanes.push(anyOf(lanes).and(anyOf(lanes))),
      () => lanes.push(anyOf(lanes).add(anyOf(lanes))),
      () => lanes.push(anyOf(lanes).xor(draw(1000))),
      () => lanes.push(anyOf(lanes).and(0x0f0f0f0f).or(anyOf(lanes).and(0x30303030))),
      () =>
        lanes.push(
          anyOf(lanes)
            .or(anyOf(lanes))
            .xor(input.splatInts(draw(32) * 4)),
        ),
      () =>
        lanes.push(
          input
            .loadInts(draw(32) * 4)
            .xor(anyOf(lanes))
            .and(anyOf(lanes).or(5)),
        ),
      () => lanes.push(anyOf(lanes).dotBytes(anyOf(lanes), anyOf(lanes).and(0x7f7f7f7f), 7)),
      () => lanes.push(anyOf(lanes).greater(anyOf(lanes)).select(anyOf(lanes), anyOf(lanes))),
      () => lanes.push(anyOf(ints).splat()),
      () => floats.push(anyOf(lanes).and(0xffff).toFloats()),
      () => floats.push(anyOf(floats).mul(anyOf(floats)).min(1e6)),
      () => floats.push(anyOf(floats).add(input.add(anyOf(ints).and(31).mul(4)).loadFloats(16).abs().min(5))),
      () => floats.push(anyOf(floats).madd(anyOf(floats).max(1), anyOf(floats)).min(1e6)),
      () => floats.push(anyOf(floats).less(anyOf(floats)).selectFloats(anyOf(floats), 2)),
      () => floats.push(anyOf(floats).sub(anyOf(floats).neg()).max(-1e6)),
      () =>
        lanes.push(
          anyOf(lanes)
            .and(0x0f0f0f0f)
            .lookup(k.table(Array.from({ length: 16 }, () => draw(256)))),
        ),
    ];
    for (const first of [0, 0, 6, 7, 17, 17]) makers[first]();
    for (let n = 0; n < 70; n++) anyOf(makers)();
    const sum = k.variable(anyOf(floats));
    const count = k.variable(anyOf(ints));
    k.range(0, anyOf(ints).and(3).add(1), 1, (i) => {
      const outside = [ints.length, lanes.length, floats.length];
      for (let n = 0; n < 70; n++) anyOf(makers)();
      sum.value = sum.value.add(anyOf(floats)).min(1e6);
      k.when(
        anyOf(ints).less(anyOf(ints)),
        () => (count.value = count.value.add(i).add(anyOf(ints)).and(0xffff)),
        () => (sum.value = anyOf(floats)),
      );
      out.add(i.mul(64)).store(anyOf(lanes), 1024);
      [ints, lanes, floats].forEach((values, n) => (values.length = outside[n]));
    });
    for (let n = 0; n < 30; n++) anyOf(makers)();
    out.store(sum.value);
    out.store(count.value, 64);
    ints.forEach((value, i) => out.store(value, 68 + i * 4));
    lanes.slice(-6).forEach((value, i) => out.store(value, 512 + i * 64));
    floats.slice(-6).forEach((value, i) => out.store(value, 1280 + i * 64));
  });
}
