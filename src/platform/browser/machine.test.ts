// What a page is told of the machine, from scopes as browsers have them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf } from "./machine.ts";

const GIGABYTE = 2 ** 30;

test("a page has the machine's threads where it is cross-origin isolated, else one", () => {
  const navigator = { hardwareConcurrency: 8, deviceMemory: 4, userAgent: "Mozilla/5.0 (X11; Linux x86_64)" };
  const isolated = factsOf({ crossOriginIsolated: true, navigator });
  assert.deepEqual([isolated.cores, isolated.os], [8, "linux"]);
  assert.equal(factsOf({ navigator }).cores, 1);
});

test("memory that a browser rounds down is taken for the most that a memory may have", () => {
  assert.equal(factsOf({ navigator: { deviceMemory: 2 } }).memoryAvailableBytes, 2 * GIGABYTE);
  assert.equal(factsOf({ navigator: { deviceMemory: 8 } }).memoryAvailableBytes, 16 * GIGABYTE);
  assert.equal(factsOf({}).memoryAvailableBytes, 4 * GIGABYTE);
  assert.equal(factsOf({}).cores, 1);
});
