// Regions, mapped files, machine code and CPU features on the host that runs the test; refusals of hosts that have none.
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { afterEach, describe, test } from "node:test";
import { LiangError, NotFoundError, ShapeError } from "../../base/errors.ts";
import { type Native, joinPath, makeTemporaryFolder, startWorker } from "./index.ts";
import { cpuFeatures } from "../native.ts";
import { readCpuFeatures } from "./cpu-features.ts";
import { native, openNative } from "./native.ts";

const here = native();
const skip = "reason" in here ? here.reason : false;
const host = here as Native;

// record[0] = part + parts + scratch, 64 bits wide
const ADD_CODE = Uint8Array.from(
  [
    [0x48, 0x01, 0xd6], // add rsi, rdx
    [0x48, 0x01, 0xce], // add rsi, rcx
    [0x48, 0x89, 0x37], // mov [rdi], rsi
    [0xc3], // ret
  ].flat(),
);

describe("memory of the host", { skip }, () => {
  test("is zeroed, writable, and a multiple of huge pages where asked", () => {
    using small = host.allocate(5000);
    assert.equal(small.address % host.pageBytes, 0);
    assert.equal(small.bytes, 2 * host.pageBytes);
    assert.ok(small.view.every((byte) => byte === 0));
    small.view.set([1, 2, 3], 4997);
    assert.deepEqual([...small.view.subarray(4997, 5000)], [1, 2, 3]);
    using large = host.allocate(3 << 20, { hugePages: true });
    assert.equal(large.address % (2 << 20), 0);
    large.view[large.bytes - 1] = 7;
  });

  test("is advised to be in pages of 2 MiB where they are preferred", () => {
    const memory = new WebAssembly.Memory({ initial: 128, maximum: 128, shared: true });
    const address = host.addressOf(memory.buffer);
    host.preferHugePages(address, memory.buffer.byteLength);
    const middle = address + memory.buffer.byteLength / 2;
    const regions = readFileSync("/proc/self/smaps", "utf8").split(/\n(?=[\da-f]+-[\da-f]+ )/);
    const region = regions.find((text) => {
      const [first, end] = text
        .split(" ", 1)[0]
        .split("-")
        .map((hex) => parseInt(hex, 16));
      return first <= middle && middle < end;
    });
    assert.match(region ?? "", /VmFlags:.* hg/);
  });

  test("leaves its views empty when it is released, and is released once", () => {
    const region = host.allocate(4096);
    const { view } = region;
    region.release();
    region.release();
    assert.equal(view.length, 0);
    assert.throws(() => host.allocate(0), ShapeError);
  });

  test("gives address space back: a thousand large regions fit one after another", () => {
    for (let i = 0; i < 1000; i++) host.allocate(2 ** 38, i % 2 ? { hugePages: true } : {}).release();
  });

  test("is where a shared buffer says it is", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const code = host.makeExecutable(ADD_CODE);
    host.callable(code.address)(host.addressOf(memory.buffer) + 64, 1, 2, 2 ** 47);
    assert.equal(new BigUint64Array(memory.buffer)[8], BigInt(2 ** 47 + 3));
    code.release();
  });

  test("that is discarded is zero again, but for the parts of pages at its ends", () => {
    using region = host.allocate(5 * 4096);
    region.view.fill(9);
    host.discard(region.address + 100, 4 * 4096);
    const zeros = [...region.view].map((byte, at) => (byte === 0 ? at : -1)).filter((at) => at >= 0);
    assert.deepEqual([zeros[0], zeros.at(-1), zeros.length], [4096, 4 * 4096 - 1, 3 * 4096]);
    host.discard(region.address + 1, 100);
    assert.equal(region.view[0], 9);
  });

  test("that is protected ends the process by a signal when it is read", () => {
    const script = `import { native } from ${JSON.stringify(new URL("./native.ts", import.meta.url).href)};
      const host = native();
      const region = host.allocate(host.pageBytes);
      host.protect(region.address, region.bytes, process.argv[1]);
      process.stdout.write(String(region.view[0]));`;
    const run = (access: string) => spawnSync(process.execPath, ["--input-type=module", "-e", script, access]);
    assert.equal(run("none").signal, "SIGSEGV");
    assert.equal(run("read").stdout.toString(), "0");
    assert.throws(() => host.protect(1, 1, "none"), ShapeError);
  });
});

describe("a mapped file", { skip }, () => {
  let folder = "";
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const file = async (bytes: Uint8Array): Promise<string> => {
    folder = await makeTemporaryFolder();
    const path = joinPath(folder, "mapped");
    writeFileSync(path, bytes);
    return path;
  };
  const pages = (count: number) => Uint8Array.from({ length: count * 4096 }, (_, i) => (i >> 12) + 1);

  test("shows its bytes from a page on, also those of a part of a page", async () => {
    const path = await file(Uint8Array.of(...pages(2), 9, 9));
    using all = host.mapFile(path);
    assert.equal(all.bytes, 8194);
    assert.deepEqual(all.view, Uint8Array.of(...pages(2), 9, 9));
    using tail = host.mapFile(path, { offset: 4096, bytes: 2 });
    assert.deepEqual([...tail.view], [2, 2]);
    host.willNeed(all.address + 100, 5000);
  });

  test("takes writes where it is writable", async () => {
    const path = await file(pages(1));
    using region = host.mapFile(path, { writable: true });
    region.view[17] = 99;
    assert.equal(readFileSync(path)[17], 99);
  });

  test("begins at a huge page where it is to have such pages, and is brought into memory whole", async () => {
    const path = await file(new Uint8Array(3 << 20).fill(7));
    using large = host.mapFile(path, { hugePages: true });
    using small = host.mapFile(path, { offset: 4096, hugePages: false });
    assert.equal(large.address % (2 << 20), 0);
    host.populate(large.address, large.bytes);
    host.populate(small.address + 1, 5000);
    assert.ok(large.view.every((byte) => byte === 7) && small.view.every((byte) => byte === 7));
    assert.equal(small.bytes, (3 << 20) - 4096);
  });

  test("lies over a shared memory's pages, and leaves zeros", async () => {
    const path = await file(pages(2));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const bytes = new Uint8Array(memory.buffer).fill(200);
    const region = host.mapFile(path, { at: host.addressOf(memory.buffer) + 4096 });
    const at = (page: number) => bytes[page * 4096];
    assert.deepEqual([at(0), at(1), at(2), at(3)], [200, 1, 2, 200]);
    region.release();
    assert.deepEqual([at(0), at(1), at(2), at(3)], [200, 0, 0, 200]);
  });

  test("becomes memory of the process in place", async () => {
    const path = await file(pages(3));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const at = host.addressOf(memory.buffer) + 4096;
    using region = host.mapFile(path, { at });
    const expected = region.view.slice();
    host.ownPages(at, region.bytes);
    writeFileSync(path, pages(3).fill(77));
    assert.deepEqual(region.view, expected);
    const lines = readFileSync("/proc/self/maps", "utf8").split("\n");
    assert.ok(!lines.some((line) => line.endsWith(path)), "no mapping of the file is left");
  });

  test("that the system cannot map is refused with its reason, and takes no addresses", () => {
    const path = "/sys/devices/system/cpu/online"; // has a size, and no pages
    const addresses = () => Number(/VmSize:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
    const before = addresses();
    const refused = { code: "native_refused", message: `The system refuses to map 4096 bytes of ${path} (error 19).` };
    for (let i = 0; i < 20; i++) assert.throws(() => host.mapFile(path, { hugePages: true, bytes: 4096 }), refused);
    assert.ok(addresses() - before < 20 * 2048, "KiB of 20 ranges of 2 MiB");
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const at = host.addressOf(memory.buffer);
    assert.throws(() => host.mapFile(path, { bytes: 4096, at }), refused);
    assert.equal(new Uint8Array(memory.buffer)[0], 0, "memory that it was to cover is still there");
  });

  test("is refused with the facts where it is not there or too short", async () => {
    const path = await file(pages(1));
    assert.throws(() => host.mapFile(`${path}.not`), NotFoundError);
    assert.throws(() => host.mapFile(path, { bytes: 4097 }), ShapeError);
    assert.throws(() => host.mapFile(path, { offset: 100 }), ShapeError);
    assert.throws(() => host.mapFile(path, { bytes: 100, at: 4096 }), ShapeError);
  });
});

describe("machine code", { skip }, () => {
  test("is never writable once it can be executed", () => {
    using code = host.makeExecutable(ADD_CODE);
    const line = readFileSync("/proc/self/maps", "utf8")
      .split("\n")
      .find((line) => line.startsWith(code.address.toString(16)));
    assert.match(line ?? "", / r-xp /);
  });

  test("runs in another thread over the same memory", async () => {
    using code = host.makeExecutable(ADD_CODE);
    const shared = new SharedArrayBuffer(8);
    const data = { code: code.address, record: host.addressOf(shared) };
    await using worker = startWorker({ url: new URL("./native.fixture.ts", import.meta.url) }, data);
    const answer = await new Promise((resolve, reject) => {
      worker.onMessage(resolve);
      worker.onFailure(reject);
    });
    assert.deepEqual(answer, { pinned: true, cores: 1, again: true });
    assert.equal(new BigUint64Array(shared)[0], 42n);
  });
});

describe("features of the processor", () => {
  test("are those that Linux tells", { skip }, () => {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].trim().split(" ") ?? [];
    assert.deepEqual([...host.features].sort(), cpuFeatures.filter((name) => flags.includes(name)).sort());
  });

  test("include tiles only where the system grants them", { skip }, () => {
    if (host.features.has("amx_tile")) assert.equal(host.requestTiles(), true);
  });

  const all = (_: number, subleaf: number) => [subleaf === 0 ? 7 : -1, -1, -1, -1];
  test("count only where the system saves their registers", () => {
    const [none, ymm, zmm, tiles] = [0b11, 0b111, 0xe7, 0x600e7].map((saved) => readCpuFeatures(all, () => saved));
    assert.deepEqual([...none], []);
    assert.deepEqual([...ymm].sort(), ["avx", "avx2", "avx_vnni", "f16c", "fma"]);
    assert.ok(zmm.has("avx512_bf16") && !zmm.has("amx_tile"));
    assert.deepEqual([...tiles].sort(), [...cpuFeatures].sort());
  });

  test("are asked for only in leaves that there are", () => {
    const old = readCpuFeatures(
      (leaf, subleaf) => {
        assert.ok(leaf <= 1 && subleaf === 0);
        return leaf === 0 ? [1, 0, 0, 0] : [0, 0, 0xffffffff, 0];
      },
      () => 7,
    );
    assert.deepEqual([...old].sort(), ["avx", "f16c", "fma"]);
    const withoutXgetbv = readCpuFeatures(
      () => [7, 0, 0, 0],
      () => assert.fail("XGETBV is not there"),
    );
    assert.equal(withoutXgetbv.size, 0);
  });
});

describe("a host without a native part", () => {
  const reasonOf = (found: ReturnType<typeof openNative>) => ("reason" in found ? found.reason : assert.fail());

  test("says so: an unknown system, koffi not installed", () => {
    const fail = (): never => {
      throw new Error("Cannot find module 'koffi'\nRequire stack:");
    };
    assert.match(reasonOf(openNative("plan9", "mips", fail)), /plan9 mips/);
    assert.equal(
      reasonOf(openNative("linux", "x64", fail)),
      "koffi, an optional package, does not load: Cannot find module 'koffi'",
    );
  });

  test("names a call that the system's library lacks, not the package that is there", () => {
    const koffi = {
      load: () => ({
        func: (definition: string): never => {
          throw new Error(`Cannot find function in ${definition}`);
        },
      }),
    } as unknown as ReturnType<Parameters<typeof openNative>[2]>;
    const reason = reasonOf(openNative("linux", "x64", () => koffi));
    assert.match(reason, /^Machine code cannot be called here: Cannot find function in int64 mmap/);
  });

  test("says so where the system refuses executable memory", () => {
    const koffi = {
      load: () => ({ func: (definition: string) => () => (definition.includes("mprotect") ? -1 : 4096) }),
      proto: () => 0,
      decode: () => assert.fail("nothing may be called"),
      view: (_: bigint, bytes: number) => new ArrayBuffer(bytes),
      address: () => 0n,
      errno: () => 13,
    };
    assert.equal(reasonOf(openNative("linux", "x64", () => koffi)), "The system refuses executable memory (error 13).");
  });

  test("refuses in the words of a LiangError, not a crash", () => {
    const failing = () => {
      throw new LiangError("x", "The reason.");
    };
    assert.equal(reasonOf(openNative("linux", "x64", failing)), "The reason.");
  });
});
