// The source by which machine code is kept: kernels that differ in anything have different ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kernel, defineKernel } from "../../lanes/index.ts";
import { x64Machines } from "../../lanes/x64/machines.ts";
import type { Native } from "#platform";
import { compileX64 } from "./code.ts";

const machines = x64Machines(new Set(["avx2", "fma", "f16c", "avx_vnni"]));
const machine = machines.get("avx2")!;

/** A host that runs nothing. */
const host = {
  makeExecutable: (code: Uint8Array) => ({ address: 64, bytes: code.byteLength, release() {} }),
} as unknown as Native;

/** What a kernel's code would be kept by. */
function sourceOf(kernel: Kernel, by = machine): string {
  const sources: string[] = [];
  compileX64(host, [kernel], by, {
    find: () => undefined,
    keep: (source) => void sources.push(source),
  });
  return sources[0];
}

test("numbers that JSON does not tell apart are told apart, in loops and conditions too", () => {
  const numbers = [0, -0, Infinity, -Infinity, NaN];
  const storing = (number: number): Kernel => defineKernel("one", ["out"], (k, { out }) => out.store(k.floats(number)));
  const inside = (number: number): Kernel =>
    defineKernel("one", ["out", "count"], (k, { out, count }) => {
      k.range(0, count, 1, (i) => {
        k.when(
          i.equals(1),
          () => out.store(k.float(1)),
          () => out.store(k.float(number)),
        );
      });
    });
  for (const make of [storing, inside]) {
    assert.equal(new Set(numbers.map((number) => sourceOf(make(number)))).size, numbers.length);
    assert.equal(sourceOf(make(-0)), sourceOf(make(-0)));
  }
});

test("machines that differ in byte products alone share the code of kernels without them", () => {
  const vnni = machines.get("avxvnni")!;
  const copying = defineKernel("one", ["out"], (_, { out }) => out.store(out.loadInts()));
  const dotting = defineKernel("one", ["out"], (k, { out }) => {
    out.store(k.ints(0).dotBytes(out.loadInts(), out.loadInts(), 7));
  });
  assert.equal(sourceOf(copying), sourceOf(copying, vnni));
  assert.notEqual(sourceOf(dotting), sourceOf(dotting, vnni));
});
