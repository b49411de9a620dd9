// What the emitter saves, in the listings of small kernels: what a kernel's author is told to count on (lanes/README.md).
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type KernelBuilder, defineKernel, traceKernel } from "../builder.ts";
import type { Int } from "../values.ts";
import { assemble } from "./assemble.ts";
import type { ConventionName } from "./convention.ts";
import { emitListing } from "./emit.ts";
import { type X64Tier, x64Machines } from "./machines.ts";
import { showInstruction } from "./show.ts";

const features = ["avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"];
const machines = x64Machines(new Set(features));

/** The instructions of a kernel over "input" and "out", as text without what every kernel begins and ends with. */
function listing(
  tier: X64Tier,
  body: (k: KernelBuilder, input: Int, out: Int) => void,
  convention?: ConventionName,
): string[] {
  const machine = machines.get(tier)!;
  const kernel = defineKernel("small", ["input", "out"], (k, { input, out }) => body(k, input, out));
  const found = emitListing(traceKernel(kernel, machine), machine, convention);
  assemble(found); // everything can be encoded
  return found.instructions.map(showInstruction).filter((line) => !/^(vzeroupper|ret|mov\.64 r\w+, \[rdi)/.test(line));
}

const names = (lines: readonly string[]): string[] => lines.map((line) => line.split(/[. ]/)[0]);

describe("listings", () => {
  it("have loads and elements for all lanes as memory operands", () => {
    const lines = listing("avx512vnni", (_, input, out) => {
      out.store(input.loadFloats().madd(input.splatFloats(64), input.loadFloats(128)), 256);
    });
    assert.deepEqual(names(lines), ["vmovups", "vmovups", "vfmadd231ps", "vmovups"]);
    assert.match(lines[2], /\{1to\}$/);
  });

  it("do not move a load over a store", () => {
    const lines = listing("avx512vnni", (_, input, out) => {
      const x = input.loadFloats();
      out.store(input.loadFloats(64));
      out.store(x.add(x.abs()), 64);
    });
    const [load, other] = lines;
    assert.match(load, /^vmovups.*\+ 0\]$/);
    assert.match(other, /^vmovups.*\+ 64\]$/);
  });

  it("keep sums of a loop in one register", () => {
    for (const tier of ["avx512vnni", "avxvnni", "avx2"] as const) {
      const lines = listing(tier, (k, input, out) => {
        const sums = k.variables(4, k.floats(0));
        k.range(0, 1024, 64, (i) => {
          const at = input.add(i);
          for (const [n, sum] of sums.entries()) sum.value = at.loadFloats(n * 64).madd(k.floats(3), sum.value);
        });
        for (const [n, sum] of sums.entries()) out.store(sum.value, n * 64);
      });
      const [start, end] = [lines.indexOf("L0:"), lines.findIndex((line) => line.startsWith("jl"))];
      const body = names(lines.slice(start + 1, end));
      // four loads are operands of four products, an address at most, then the counter
      assert.deepEqual(
        body.filter((name) => name !== "lea"),
        ["vfmadd231ps", "vfmadd231ps", "vfmadd231ps", "vfmadd231ps", "add", "cmp"],
      );
    }
  });

  it("accumulate byte products in place, by an element of memory for all lanes", () => {
    const lines = listing("avx512vnni", (k, input, out) => {
      let sum = k.ints(0);
      for (let i = 0; i < 4; i++) sum = sum.dotBytes(input.splatInts(i * 4), input.loadInts(64 + i * 64).and(15), 7);
      out.store(sum);
    });
    assert.equal(lines.filter((line) => /^vpdpbusd\.512 .*\{1to\}$/.test(line)).length, 4);
    assert.equal(lines.filter((line) => line.startsWith("vpandd")).length, 4);
    assert.ok(!lines.some((line) => line.startsWith("vmovups.512 v")), "no copies and no loads of their own");
  });

  it("compute what does not change before the loop, and addresses in the instructions", () => {
    const lines = listing("avx2", (k, input, out) => {
      const count = input.loadInt();
      k.range(0, 64, 1, (i) => {
        out.add(i.mul(4)).store(input.add(i.mul(4)).loadFloat(64).add(count.mul(7).div(8).toFloat()));
      });
    });
    const body = lines.slice(lines.indexOf("L0:") + 1);
    assert.deepEqual(names(body).slice(0, 5), ["vaddss", "vmovss", "add", "cmp", "jl"]);
    assert.match(body[0], /\*4 \+ 64\]/);
  });

  it("turn a comparison and what it selects into a mask and a blend", () => {
    const body = (_: KernelBuilder, input: Int, out: Int): void => {
      const x = input.loadFloats();
      out.store(x.less(input.loadFloats(64)).selectFloats(x, 2));
    };
    const wide = names(listing("avx512", body));
    assert.deepEqual(wide, ["vmovups", "vcmpps", "vbroadcastss", "vblendmps", "vmovups"]);
    assert.ok(names(listing("avx2", body)).includes("vblendvps"));
  });

  it("preserve what the calling convention asks for", () => {
    const busy = (k: KernelBuilder, input: Int, out: Int): void => {
      const values = Array.from({ length: 30 }, (_, i) => input.loadInt(i * 4));
      const lanes = Array.from({ length: 14 }, (_, i) => input.loadFloats(i * 32));
      k.range(0, 2, 1, (i) => values.forEach((value, n) => out.store(value.add(i), n * 4)));
      lanes.forEach((value, n) => out.store(value, 256 + n * 32));
    };
    const systemV = listing("avx2", busy);
    const windows = listing("avx2", busy, "windows");
    const pushed = (lines: readonly string[]): string[] =>
      lines.filter((line) => line.startsWith("push")).map((line) => line.split(" ")[1]);
    assert.deepEqual(pushed(systemV), ["rbx", "rbp", "r12", "r13", "r14", "r15"]);
    assert.deepEqual(pushed(windows), ["rbx", "rbp", "rsi", "rdi", "r12", "r13", "r14", "r15"]);
    const saved = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith("vmovups.128 [rsp"));
    assert.equal(saved(systemV).length, 0);
    assert.ok(saved(windows).length > 0);
    const restored = windows.filter((line) => /^vmovups\.128 v\d+, \[rsp/.test(line));
    assert.equal(restored.length, saved(windows).length);
  });
});
