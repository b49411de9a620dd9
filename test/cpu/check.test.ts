// The checking mode: a kernel that leaves its bounds faults at once, and whole models give equal results.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { native } from "../../src/platform/node/index.ts";
import { type EngineEvent, openEngine } from "../../src/engine/index.ts";
import { openCase } from "../families/cases.ts";
import { cpuTiers } from "./tiers.ts";

const host = native();
const skip = "reason" in host ? host.reason : false;
const FIXTURE = new URL("./check-fixture.ts", import.meta.url).pathname;
const LAST_ROW = 31;

describe("LIANG_CHECK=1", { skip }, () => {
  const kept = process.env.LIANG_CHECK;
  before(() => void (process.env.LIANG_CHECK = "1"));
  after(() => {
    if (kept === undefined) delete process.env.LIANG_CHECK;
    else process.env.LIANG_CHECK = kept;
  });

  // what happens at a fault is the same in all kernel sets of a kind
  const [best, ...others] = cpuTiers().map(({ tier }) => tier);
  for (const tier of new Set([best, others.at(-1) ?? best])) {
    const isNative = !tier.startsWith("wasm");
    const gatherRow = (id: number, check: string) =>
      spawnSync(process.execPath, [FIXTURE, tier, String(id)], { env: { ...process.env, LIANG_CHECK: check } });

    it(`${tier}: reading a row past a weight's end ${isNative ? "ends the process by a signal" : "is a KernelError"}`, () => {
      assert.equal(gatherRow(LAST_ROW, "1").stdout.toString(), "ran");
      const { signal, stdout, stderr } = gatherRow(LAST_ROW + 1, "1");
      if (isNative) assert.equal(signal, "SIGSEGV", stderr.toString());
      else assert.equal(stdout.toString(), "KernelError", stderr.toString());
      assert.equal(gatherRow(LAST_ROW + 1, "0").stdout.toString(), "ran"); // without it nobody notices
    });
  }

  for (const executor of cpuTiers()) {
    it(`${executor.tier}: a model says the same as without it`, async () => {
      await using opened = await openCase("gemma3_text");
      const generate = async (check: string): Promise<EngineEvent[]> => {
        process.env.LIANG_CHECK = check;
        const options = { window: 64, slots: 2, threads: 2, pageSize: 8, chunkRows: 16 };
        await using engine = await openEngine(opened.model, opened.store, executor, options);
        const events: EngineEvent[] = [];
        const request = {
          ids: Array.from({ length: 21 }, (_, i) => 3 + ((i * 7) % 50)),
          maxTokens: 20,
          ignoreEnd: true,
        };
        for await (const event of engine.generate(request)) {
          if (event.type === "token") events.push(event);
        }
        return events;
      };
      const checked = await generate("1");
      assert.deepEqual(checked, await generate("0"));
      assert.equal(checked.length, 20);
    });
  }
});
