// The caller's thread is free while programs run: it computes nothing, and its event loop turns.
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Graph, graph, input, linear, parameter, silu } from "../../src/graph/index.ts";
import { memoryStore, randomFloats, randomParameter } from "./stores.ts";
import { cpuTiers } from "./tiers.ts";

const rows = { name: "rows", bound: 64 };
const WIDTH = 512;
const RUN_MS = 400;

function longGraph(): Graph {
  const w = parameter("w", [WIDTH, WIDTH]);
  let x = input("x", [rows, WIDTH], "f32");
  for (let i = 0; i < 20; i++) x = silu(linear(x, w));
  return graph({ y: x });
}

const [best] = cpuTiers();

it(`${best.tier}: timers fire and the thread's processor time is small while programs run`, async () => {
  const store = memoryStore({ w: randomParameter(2, "f32", WIDTH, WIDTH) });
  await using opened = await best.open(store, { run: longGraph() }, { threads: 2 });
  const { run } = opened.programs;
  run.inputs.x.set(randomFloats(1, 64 * WIDTH));
  for (let i = 0; i < 20; i++) await run.run({ rows: 64 }); // code is compiled by then
  let fired = 0;
  const timer = setInterval(() => fired++, 5);
  const before = process.threadCpuUsage();
  const from = performance.now();
  let runs = 0;
  while (performance.now() - from < RUN_MS) {
    await run.run({ rows: 64 });
    runs++;
  }
  const ranMs = performance.now() - from;
  clearInterval(timer);
  const { user, system } = process.threadCpuUsage(before);
  const ownShare = (user + system) / 1000 / ranMs;
  assert.ok(runs > 1 && fired >= 10, `${fired} turns of a timer of 5 ms in ${ranMs} ms`);
  assert.ok(ownShare < 0.3, `the caller's thread computed for ${(100 * ownShare).toFixed(0)} % of ${ranMs} ms`);
});
