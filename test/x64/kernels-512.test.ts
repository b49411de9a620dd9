// Every kernel's machine code with registers of 512 bits, and with tiles (kernel-suite.ts). In a file of its own, so that the
// other half runs beside it.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { it } from "node:test";
import type { Kernel } from "../../src/lanes/index.ts";
import { kernelSuite } from "./kernel-suite.ts";

const machines = kernelSuite(["amx", "avx512vnni", "avx512"]);

const KERNELS = new URL("../../src/device/cpu/kernels/", import.meta.url);

/** Kernels among a module's exports and in records of them. */
function kernelsIn(value: unknown): Kernel[] {
  if (typeof value !== "object" || value === null) return [];
  if ("words" in value && "body" in value) return [value as Kernel];
  return Object.values(value).flatMap(kernelsIn);
}

it("no file of kernels is left out", async () => {
  const seen = new Set(machines.flatMap(({ kernels }) => [...kernels.keys()]));
  const files = readdirSync(KERNELS).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const modules = await Promise.all(
    files.map(async (file) => ({ file, kernels: kernelsIn({ ...(await import(new URL(file, KERNELS).href)) }) })),
  );
  const without = modules.filter(({ kernels }) => kernels.length > 0 && !kernels.some((kernel) => seen.has(kernel)));
  assert.deepEqual(
    without.map(({ file }) => file),
    [],
  );
});
