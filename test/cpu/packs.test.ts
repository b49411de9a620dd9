// Packed weights that are kept between starts: the second start gives the same bytes as the first and as none kept at all,
// on every tier; whatever is wrong with the kept file, the model opens and says what happened.
import assert from "node:assert/strict";
import { readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { makeTemporaryFolder } from "#platform";
import type { ModelMemory } from "../../src/device/cpu/model-memory.ts";
import { openKept, openStored } from "../../src/device/cpu/open-weights.ts";
import { type Place, memoryTarget, windowBytes, windowTarget } from "../../src/device/cpu/weight-targets.ts";
import { chunkBytes, fillImage, placeWeights } from "../../src/device/cpu/weights.ts";
import type { Executor, OpenOptions, OpenWeights, ParameterStore } from "../../src/device/executor.ts";
import { add, gather, graph, input, linear, parameter } from "../../src/graph/index.ts";
import { HUGE_PAGE_BYTES } from "../../src/platform/native.ts";
import { type PackCache, type PackWriter, openPackCache } from "../../src/store/pack-cache.ts";
import { memoryStore, randomFloats, randomParameter } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

let folder = "";
before(async () => {
  folder = await makeTemporaryFolder();
});
after(() => rm(folder, { recursive: true }));

const COLUMNS = 512;
const OUTER = 9001; // chunks of several windows, and a last group that is not full
const parameters = {
  table: randomParameter(1, "q4_k", 300, COLUMNS),
  matrix: randomParameter(2, "q8_0", OUTER, COLUMNS),
  floats: randomParameter(3, "f32", 777, COLUMNS),
  bias: randomParameter(4, "f16", 1, OUTER),
};
const stored = (origin: ParameterStore["origin"]): ParameterStore => ({ ...memoryStore(parameters), origin });
const model = "/models/of the test.gguf";
const isUnchanged = async (): Promise<boolean> => true;
const store = stored(async () => ({ path: model, description: "as the test has it", isUnchanged }));

/** Rows of a table, times a matrix, plus a bias; and other rows times other weights. */
function program(rowsMost: number) {
  const rows = { name: "rows", bound: rowsMost };
  const x = gather(parameter("table", [300, COLUMNS]), input("ids", [rows], "i32"));
  const y = linear(x, parameter("matrix", [OUTER, COLUMNS]), parameter("bias", [OUTER]));
  const z = linear(add(x, x), parameter("floats", [777, COLUMNS]));
  return graph({ y, z });
}

interface Ran {
  readonly weights: OpenWeights | undefined;
  readonly y: Float32Array;
  readonly z: Float32Array;
}

async function run(executor: Executor, options: OpenOptions, rowsMost = 4, from = store): Promise<Ran> {
  await using opened = await executor.open(from, { run: program(rowsMost) }, options);
  const { inputs, outputs } = opened.programs.run;
  inputs.ids.set([3, 299]);
  await opened.programs.run.run({ rows: 2 });
  return { weights: opened.weights, y: outputs.y.slice(0, 2 * OUTER), z: outputs.z.slice(0, 2 * 777) };
}

const cacheIn = (name: string): PackCache => openPackCache(join(folder, name), { bytesLeast: 0 });

for (const executor of cpuTiers()) {
  const { tier } = executor;
  describe(`packed weights of tier ${tier}`, () => {
    it("are the same bytes when kept, when found and when never kept", async () => {
      const packs = cacheIn(tier);
      const alone = await run(executor, {});
      const first = await run(executor, { packs });
      const second = await run(executor, { packs });
      assert.deepEqual(alone.weights, { from: "packed" });
      assert.deepEqual(first, alone);
      assert.notEqual(second.weights?.from, "packed");
      assert.deepEqual([second.y, second.z], [alone.y, alone.z]);
    });

    it("serve any number of threads and any bounds", async () => {
      const packs = cacheIn(`${tier} bounds`);
      await run(executor, { packs, threads: 1 }, 2);
      assert.notEqual((await run(executor, { packs, threads: 2 }, 64)).weights?.from, "packed");
    });
  });
}

const [executor] = cpuTiers();

describe("a kept file", () => {
  const damage: Record<string, (path: string) => Promise<void>> = {
    "cut short": (path) => truncate(path, 3 << 20),
    "of another program": (path) => writeFile(path, "not ours"),
    "with a head that lies": async (path) => {
      const bytes = await readFile(path);
      bytes[200] ^= 1;
      await writeFile(path, bytes);
    },
  };
  for (const [what, change] of Object.entries(damage)) {
    it(`${what} is packed anew`, async () => {
      const packs = cacheIn(what);
      const first = await run(executor, { packs });
      await change((await packs.list())[0].path);
      const again = await run(executor, { packs });
      assert.deepEqual(again, first);
      assert.notEqual((await run(executor, { packs })).weights?.from, "packed");
    });
  }

  for (const [what, change] of Object.entries({
    "replaced by another program's": async (path: string): Promise<void> => {
      const [kept, other] = [await readFile(path), cacheIn("elsewhere")];
      const changed = stored(async () => ({ path: model, description: "of another day", isUnchanged }));
      await run(executor, { packs: other }, 4, changed);
      const [{ path: from }] = await other.list();
      const bytes = await readFile(from);
      assert.equal(bytes.byteLength, kept.byteLength);
      bytes.fill(0, HUGE_PAGE_BYTES); // the data: other weights
      await writeFile(`${path}.next`, bytes);
      await rename(`${path}.next`, path);
    },
    removed: (path: string) => rm(path),
  })) {
    it(`that is ${what} after it was found is not used`, async () => {
      const packs = cacheIn(what);
      const first = await run(executor, { packs });
      let finds = 0;
      const racing: PackCache = {
        ...packs,
        async find(description) {
          const file = await packs.find(description);
          if (finds++ === 0) await change(file!.path);
          return file;
        },
      };
      assert.deepEqual(await run(executor, { packs: racing }), first);
    });
  }

  it("of a model that changed is packed anew, and so is one whose weights are wanted in another form", async () => {
    const packs = cacheIn("changes");
    await run(executor, { packs });
    const changed = stored(async () => ({ path: model, description: "of another day", isUnchanged }));
    assert.equal((await run(executor, { packs }, 4, changed)).weights?.from, "packed");
    const x = gather(parameter("table", [300, COLUMNS]), input("ids", [{ name: "rows", bound: 4 }], "i32"));
    await using opened = await executor.open(changed, { run: graph({ y: add(x, x) }) }, { packs });
    assert.equal(opened.weights?.from, "packed");
  });

  it("of a store that does not say where it is from is not written", async () => {
    const packs = cacheIn("no origin");
    await run(executor, { packs }, 4, memoryStore(parameters));
    assert.deepEqual(await packs.list(), []);
  });
});

describe("without room", () => {
  it("the model opens and says why its weights are not kept", async () => {
    const packs = openPackCache(join(folder, "full"), { bytesLeast: 0, freeBytes: async () => 1e6 });
    const { weights, ...results } = await run(executor, { packs });
    assert.match(weights?.note ?? "", /Packed weights are not kept: they take \d+ MB, more than a third of the 1 MB/);
    const { weights: _, ...expected } = await run(executor, {});
    assert.deepEqual(results, expected);
  });

  it("that runs out while the file is written, the model opens all the same and nothing is left", async () => {
    let appended = 0;
    const cache = cacheIn("runs out");
    const packs: PackCache = {
      ...cache,
      async create(description) {
        const writer = (await cache.create(description)) as PackWriter;
        return {
          ...writer,
          append: async (bytes) => {
            if (++appended > 1) throw new Error("ENOSPC: no space left on device");
            await writer.append(bytes);
          },
        };
      },
    };
    const { weights, ...results } = await run(executor, { packs });
    assert.deepEqual(weights, {
      from: "packed",
      note: "Packed weights are not kept: ENOSPC: no space left on device.",
    });
    const { weights: _, ...expected } = await run(executor, {});
    assert.deepEqual(results, expected);
    assert.deepEqual(await packs.list(), []);
  });
});

describe("a file that could not be kept", () => {
  const refusing = (cache: PackCache): PackCache => ({
    ...cache,
    async create(description) {
      const writer = (await cache.create(description)) as PackWriter;
      return {
        get file() {
          return writer.file;
        },
        append: (bytes) => writer.append(bytes),
        discard: () => writer.discard(),
        async finish() {
          await writer.discard();
          throw new Error("ENOSPC: no space left on device, fsync");
        },
      };
    },
  });

  it("by the disk is told, and its weights are memory of the process by then", async () => {
    for (const executor of cpuTiers()) {
      const packs = refusing(cacheIn(`refused ${executor.tier}`));
      await using opened = await executor.open(store, { run: program(4) }, { packs });
      for (let i = 0; opened.weights?.note === undefined && i < 500; i++) await setTimeout(10);
      assert.equal(opened.weights?.note, "Packed weights are not kept: ENOSPC: no space left on device, fsync.");
      const maps = await readFile("/proc/self/maps", "utf8").catch(() => "");
      assert.ok(!maps.includes(join(folder, "refused")), "no page of the file is left");
      const { inputs, outputs } = opened.programs.run;
      inputs.ids.set([3, 299]);
      await opened.programs.run.run({ rows: 2 });
      assert.deepEqual(outputs.y.slice(0, 2 * OUTER), (await run(executor, {})).y);
    }
  });

  it("because the model's files changed while they were read is told", async () => {
    const packs = cacheIn("changing");
    const changing = stored(async () => ({ path: model, description: "d", isUnchanged: async () => false }));
    const { weights, ...results } = await run(executor, { packs }, 4, changing);
    assert.match(weights?.note ?? "", /not kept: the model's files changed while they were read/);
    const { weights: _, ...expected } = await run(executor, {});
    assert.deepEqual(results, expected);
    assert.deepEqual(await packs.list(), []);
  });
});

describe("the image", () => {
  const names = Object.keys(parameters);
  const image = placeWeights(store.parameters, {
    packed: new Set(["table", "matrix", "floats"]),
    plain: new Set(["bias"]),
    whole: new Set(["matrix", "floats"]),
  });

  it("holds what runs read whole first, and what they read by row behind it on pages of its own", () => {
    assert.deepEqual(
      image.forms.map(({ stored: { name } }) => name).toSorted((a, b) => names.indexOf(a) - names.indexOf(b)),
      names,
    );
    assert.equal(image.weights.get("table")?.packed, image.streamedBytes);
    assert.equal(image.streamedBytes % HUGE_PAGE_BYTES, 0);
    assert.equal(image.bytes % 4096, 0);
  });

  /** Makes the image with a stand-in for packing kernels that marks where it was asked to pack. */
  function collector() {
    const pieces: Uint8Array[] = [];
    const writer = {
      file: { path: "", dataOffset: 0 },
      append: async (bytes: Uint8Array) => {
        const copy = bytes.slice();
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(bytes, copy, "bytes that are being written do not change");
        pieces.push(copy);
      },
      finish: async () => {},
      discard: async () => {},
    } satisfies PackWriter;
    return { pieces, writer };
  }

  const placeOf = (bytes: number, address = 0): Place => ({ address, view: new Uint8Array(bytes).fill(0xaa) });

  it("that goes through windows is, byte for byte, the one made in memory", async () => {
    const bytes = 23 * HUGE_PAGE_BYTES + 4096;
    const made = new Uint8Array(bytes);
    const expected = new Uint8Array(bytes);
    const { pieces, writer } = collector();
    const chunk = 3 << 20;
    const size = windowBytes(chunk);
    const windows = [placeOf(size), placeOf(size, size)] as const;
    const targets = [
      windowTarget(bytes, windows, writer),
      memoryTarget(bytes, (offset, length) => ({ address: offset, view: made.subarray(offset, offset + length) })),
    ];
    const lengths = randomFloats(5, 60).map((value) => Math.floor((Math.abs(value) % 1) * chunk));
    for (const target of targets) {
      let offset = 0;
      for (const [i, length] of lengths.entries()) {
        if (offset + length > bytes) break;
        const { view } = await target.place(offset, length);
        view.fill(i + 1);
        expected.fill(i + 1, offset, offset + length);
        offset += length + (i % 7 === 0 ? 5 << 20 : 64);
      }
      await target.end();
    }
    assert.deepEqual(made, expected);
    assert.ok(Buffer.concat(pieces).equals(expected));
    for (const piece of pieces.slice(0, -1)) assert.equal(piece.length % HUGE_PAGE_BYTES, 0, "whole large pages");
  });

  it("is refused with the reason where packing fails, also while the next chunk is being read", async () => {
    const memory = new Uint8Array(image.bytes);
    const { read } = chunkBytes(image.forms);
    const slow = {
      ...store,
      readRows: () => setTimeout(5),
    };
    const target = memoryTarget(image.bytes, (offset, bytes) => ({
      address: offset,
      view: memory.subarray(offset, offset + bytes),
    }));
    const fail = async (): Promise<void> => {
      throw new Error("the kernel failed");
    };
    await assert.rejects(
      fillImage(slow, image.forms, target, [placeOf(read), placeOf(read)], fail, {}),
      /the kernel failed/,
    );
  });

  it("is made in memory, kept, and read from the file where files cannot be mapped", async () => {
    const memory = new Uint8Array(image.bytes);
    const host = {
      canMap: false,
      mapWeights: () => false,
      allocateWeights: () => void memory.fill(0),
      weightBytes: (offset: number, bytes: number) => memory.subarray(offset, offset + bytes),
      weightPlace: (offset: number, bytes: number) => ({ address: offset, view: host.weightBytes(offset, bytes) }),
    } as unknown as ModelMemory;
    const { read } = chunkBytes(image.forms);
    const staging = [placeOf(read), placeOf(read, read)] as const;
    // packs by copying: which bytes go where is what counts here
    const pack = async (request: { source: number; target: number; rows: number }): Promise<void> => {
      const { view } = staging[request.source / read];
      memory.set(view.subarray(0, request.rows * 64), request.target);
    };
    const packs = cacheIn("unmapped");
    const description = { model, text: "t", dataBytes: image.bytes, isUnchanged };
    const packer = { staging, windows: staging, pack };
    const opened = await openStored(store, image, host, packer, description, { packs });
    assert.deepEqual(opened.how, { from: "packed" });
    await opened.kept;
    const expected = memory.slice();
    memory.fill(0);
    const found = await openKept((await packs.find(description))!, image, host, {});
    assert.deepEqual(found.how, { from: "read" });
    assert.ok(Buffer.from(memory.buffer).equals(expected));
  });
});
