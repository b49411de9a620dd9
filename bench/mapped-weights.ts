// What mapping weights costs: two threads read 256 MB again and again, by turns, from memory of the process in pages of
// 2 MiB, from a mapped file that was written in pieces of 2 MiB (as packed weights are), and from one in small pages; and
// how long each takes to be there. Linux on x64; best and median of 60 turns of 64 MB.
// Run: node bench/mapped-weights.ts
import { mkdtemp, open, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { KernelRun } from "../src/device/cpu/kernel-run.ts";
import { chooseTier } from "../src/device/cpu/tiers.ts";
import { readKernel } from "../src/eval/peak-kernels.ts";
import { native } from "../src/platform/node/index.ts";

const BYTES = 256 << 20;
const SLICE = 64 << 20;
const TURNS = 60;

const host = native();
if ("reason" in host) throw new Error(host.reason);
await using run = new KernelRun({ tier: chooseTier(), kernels: [readKernel], threads: 2, bytes: BYTES });
run.data.fill(7);

const folder = await mkdtemp(join(homedir(), ".liang-mapped-")); // a disk, where the temporary folder may be memory
const write = async (name: string, piece: number): Promise<string> => {
  const path = join(folder, name);
  const file = await open(path, "w");
  for (let at = 0; at < BYTES; at += piece) await file.write(run.data, at, Math.min(piece, BYTES - at), at);
  await file.sync();
  await file.close();
  return path;
};

try {
  const places: { name: string; address: number; readyMs: number; ms: number[] }[] = [];
  const large = await write("large", 4 << 20);
  const small = await write("small", 64 << 10);
  places.push({ name: "memory of the process, 2 MiB pages", address: run.address, readyMs: NaN, ms: [] });
  for (const [name, path, hugePages] of [
    ["file written by 4 MiB, 2 MiB pages", large, true],
    ["file written by 64 KiB, small pages", small, false],
  ] as const) {
    const start = performance.now();
    const { address, bytes } = host.mapFile(path, { hugePages });
    host.populate(address, bytes);
    places.push({ name, address, readyMs: performance.now() - start, ms: [] });
  }
  const sums = host.allocate(1 << 20).address;
  for (let turn = 0; turn < TURNS; turn++) {
    for (const { address, ms } of places) {
      const start = performance.now();
      await run.run(readKernel, { data: address + (turn % 4) * SLICE, bytes: SLICE, sums }, 64);
      ms.push(performance.now() - start);
    }
  }
  for (const { name, readyMs, ms } of places) {
    ms.sort((a, b) => a - b);
    const speed = (taken: number): string => `${(SLICE / taken / 1e6).toFixed(1)} GB/s`;
    const ready = Number.isNaN(readyMs) ? "" : `, there after ${readyMs.toFixed(1)} ms`;
    console.log(`${name.padEnd(38)} best ${speed(ms[0])}, median ${speed(ms[TURNS / 2])}${ready}`);
  }
} finally {
  await rm(folder, { recursive: true });
}
