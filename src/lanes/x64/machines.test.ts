import assert from "node:assert/strict";
import { it } from "node:test";
import { x64Machines } from "./machines.ts";

const desktop = ["avx2", "fma", "f16c"];
const server = [...desktop, "avx512f", "avx512bw", "avx512dq", "avx512vl"];

it("gives the tiers whose features are all there, the best first", () => {
  const tiers = (features: readonly string[]): string[] => [...x64Machines(new Set(features)).keys()];
  assert.deepEqual(tiers([]), []);
  assert.deepEqual(tiers(["avx2", "fma"]), []);
  assert.deepEqual(tiers(desktop), ["avx2"]);
  assert.deepEqual(tiers([...desktop, "avx_vnni"]), ["avxvnni", "avx2"]);
  assert.deepEqual(tiers(server), ["avx512", "avx2"]);
  assert.deepEqual(tiers([...server, "avx512_vnni", "amx_tile", "amx_bf16"]), ["avx512vnni", "avx512", "avx2"]);
  const all = [...server, "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"];
  assert.deepEqual(tiers(all), ["amx", "avx512vnni", "avx512", "avxvnni", "avx2"]);
});

it("has bf16 conversions only where the processor has them", () => {
  const bf16 = (features: readonly string[]): boolean | undefined =>
    x64Machines(new Set(features)).get("avx512vnni")?.bf16;
  assert.equal(bf16([...server, "avx512_vnni"]), false);
  assert.equal(bf16([...server, "avx512_vnni", "avx512_bf16"]), true);
});
