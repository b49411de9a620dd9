// Machine facts from made-up system files, and sanity of the real ones.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { collectGarbage, dataFolder, machineFacts, now, residentBytes } from "./index.ts";
import { memoryFacts } from "./machine.ts";
import { dataFolderFor } from "./paths.ts";

const GB = 2 ** 30;
const files = (found: Readonly<Record<string, string>>) => async (path: string) => found[path];
const meminfo = "MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\n";

describe("memory", () => {
  test("counts file cache that can be dropped as available", async () => {
    const facts = await memoryFacts("linux", 16 * GB, GB, files({ "/proc/meminfo": meminfo }));
    assert.deepEqual(facts, { memoryTotalBytes: 16 * GB, memoryAvailableBytes: 8 * GB });
  });

  test("respects a container's limit, in version 2 and 1 of control groups", async () => {
    const second = files({
      "/proc/meminfo": meminfo,
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/memory.max": `${4 * GB}\n`,
      "/sys/fs/cgroup/memory.current": `${3 * GB}\n`,
      "/sys/fs/cgroup/memory.stat": `anon 1\ninactive_file ${GB}\n`,
    });
    const expected = { memoryTotalBytes: 4 * GB, memoryAvailableBytes: 2 * GB };
    assert.deepEqual(await memoryFacts("linux", 16 * GB, GB, second), expected);
    const first = files({
      "/proc/meminfo": meminfo,
      "/proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/box\n",
      "/sys/fs/cgroup/memory/box/memory.limit_in_bytes": `${4 * GB}\n`,
      "/sys/fs/cgroup/memory/box/memory.usage_in_bytes": `${3 * GB}\n`,
      "/sys/fs/cgroup/memory/box/memory.stat": `total_inactive_file ${GB}\n`,
    });
    assert.deepEqual(await memoryFacts("linux", 16 * GB, GB, first), expected);
  });

  test("ignores a group without limit, and one larger than the machine", async () => {
    for (const limit of ["max", String(2 ** 63)]) {
      const facts = await memoryFacts(
        "linux",
        16 * GB,
        GB,
        files({
          "/proc/meminfo": meminfo,
          "/sys/fs/cgroup/memory.max": limit,
          "/sys/fs/cgroup/memory.current": "1",
        }),
      );
      assert.deepEqual(facts, { memoryTotalBytes: 16 * GB, memoryAvailableBytes: 8 * GB });
    }
  });

  test("falls back on the free memory that other systems tell", async () => {
    assert.equal((await memoryFacts("win32", 16 * GB, 5 * GB, files({}))).memoryAvailableBytes, 5 * GB);
    assert.equal((await memoryFacts("darwin", 16 * GB, GB, files({}))).memoryAvailableBytes, 8 * GB);
  });
});

describe("this machine", () => {
  test("has cores, and no more memory available than it has", async () => {
    const facts = await machineFacts();
    assert.ok(facts.cores >= 1);
    assert.ok(facts.memoryAvailableBytes > 0 && facts.memoryAvailableBytes <= facts.memoryTotalBytes);
    assert.ok(residentBytes() > 10e6);
    const before = now();
    assert.ok(now() >= before);
  });

  test("gives shared memory back at once when nobody refers to it any more", async () => {
    const before = residentBytes();
    const fill = (): number => {
      const memory = new WebAssembly.Memory({ initial: 3200, maximum: 3200, shared: true }); // 200 MiB
      new Uint8Array(memory.buffer).fill(1);
      return residentBytes();
    };
    assert.ok(fill() - before > 150e6);
    await collectGarbage();
    assert.ok(residentBytes() - before < 50e6);
  });

  test("keeps what lasts in LIANG_HOME, else where each system's users expect it", () => {
    assert.equal(dataFolderFor("linux", { LIANG_HOME: "/x/y" }, "/home/a"), "/x/y");
    assert.equal(dataFolderFor("linux", {}, "/home/a"), "/home/a/.local/share/liang");
    assert.equal(dataFolderFor("linux", { XDG_DATA_HOME: "/data" }, "/home/a"), "/data/liang");
    assert.equal(dataFolderFor("darwin", {}, "/Users/a"), "/Users/a/Library/Application Support/liang");
    assert.match(dataFolderFor("win32", { LOCALAPPDATA: "/local" }, "/a"), /local.liang$/);
    assert.ok(dataFolder().length > 0);
  });
});
