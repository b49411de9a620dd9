// The memory plan against what each executor then takes, and the options that are refused.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryError, UsageError } from "../../src/base/errors.ts";
import { cpuExecutor } from "../../src/device/cpu/executor.ts";
import type { Executor } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type EngineOptions, type EnginePlan, openEngine, plan } from "../../src/engine/index.ts";
import { tinyExecutor } from "../cpu/tiers.ts";
import { type CaseName, caseNames, openCase } from "../families/cases.ts";
import { DoubleExecutor, doubleModel, doubleStore } from "./double.ts";

type KvType = NonNullable<EngineOptions["kvType"]>;

const of = (options: EngineOptions, sliding = true): Promise<EnginePlan> =>
  plan(doubleModel(100_000, sliding), doubleStore, referenceExecutor, options, 2 ** 30);
const refusalOf =
  (field: string) =>
  (error: unknown): boolean =>
    error instanceof UsageError && error.field === field;

describe("the plan", () => {
  const tiny = tinyExecutor();
  const counted: readonly (readonly [Executor, CaseName, readonly KvType[]])[] = [
    ...caseNames.map((name) => [tiny, name, ["f16"]] as const),
    // what differs between families is the same for every executor, and for every type
    [cpuExecutor, "gemma3_text", ["f16", "f32"]],
    [referenceExecutor, "gemma3_text", ["f16", "f32"]],
  ];
  for (const [executor, name, kvTypes] of counted) {
    const where = executor === tiny ? "the caller's thread" : executor.name;
    test(`counts what ${name} takes on ${where} to the byte`, async () => {
      await using opened = await openCase(name);
      for (const kvType of kvTypes) {
        const options: EngineOptions = { window: 40, slots: 2, threads: 1, kvType, pageSize: 8 };
        const planned = await plan(opened.model, opened.store, executor, options, 2 ** 30);
        await using engine = await openEngine(opened.model, opened.store, executor, options);
        const { weightBytes, stateBytes, arenaBytes, runtimeBytes } = engine.memory;
        assert.deepEqual(
          [planned.weightBytes, planned.kvBytes, planned.arenaBytes, planned.runtimeBytes],
          [weightBytes, stateBytes, arenaBytes, runtimeBytes],
        );
        assert.ok(weightBytes > 0 && stateBytes > 0 && arenaBytes > 0 && runtimeBytes > 0);
      }
    });
  }

  test("a full group takes the window, a sliding one its reach, and both grow with the slots", async () => {
    const kvBytes = async (...asked: Parameters<typeof of>): Promise<number> => (await of(...asked)).kvBytes;
    assert.equal(await kvBytes({ window: 6400 }, false), 4 * 6400 * 2 * 4 * 2);
    assert.equal(await kvBytes({ window: 6400, slots: 1 }, false), 6400 * 2 * 4 * 2);
    assert.equal(await kvBytes({ window: 6400, kvType: "f32" }, false), 4 * 6400 * 2 * 4 * 4);
    const sliding = (await kvBytes({ window: 64_000 })) - (await kvBytes({ window: 64_000 }, false));
    assert.equal(sliding, (await kvBytes({ window: 6400 })) - (await kvBytes({ window: 6400 }, false)));
    assert.equal((await of({ window: 6400 })).kvBytesPerToken, 2 * 2 * 4 * 2);
    const small = { pageSize: 4, chunkRows: 16, slots: 3 };
    const held = (await kvBytes({ window: 6400, ...small })) - (await kvBytes({ window: 6400, ...small }, false));
    // a window of 6, 8 rows to go back and a chunk of 16 lie in 9 pages at most, wherever they begin
    assert.equal(held, 3 * (9 * 4) * 2 * 4 * 2);
  });

  test("says whether it fits", async () => {
    const fitting = (availableBytes: number): Promise<EnginePlan> =>
      plan(doubleModel(100, true), doubleStore, referenceExecutor, { window: 100 }, availableBytes);
    const { totalBytes, ...parts } = await fitting(0);
    const { weightBytes, kvBytes, arenaBytes, runtimeBytes, vocabularyBytes } = parts;
    assert.equal(totalBytes, weightBytes + kvBytes + arenaBytes + runtimeBytes + vocabularyBytes);
    assert.equal(parts.fits, false);
    assert.equal((await fitting(totalBytes)).fits, true);
  });

  test("the cpu executor fits what the addresses of a memory reach and no more, whatever memory the machine has", async () => {
    const options = (slots: number): EngineOptions => ({ window: 2 ** 22, slots, threads: 1 });
    const fitting = (slots: number): Promise<EnginePlan> =>
      plan(doubleModel(2 ** 24, false), doubleStore, cpuExecutor, options(slots), 2 ** 40);
    for (const slots of [32, 128]) assert.equal((await fitting(slots)).fits, true); // 2 and 8 GiB of keys and values
    const beyond = await fitting(256);
    assert.equal(beyond.fits, false);
    assert.ok(beyond.availableBytes < 16.1 * 2 ** 30);
    await assert.rejects(openEngine(doubleModel(2 ** 24, false), doubleStore, cpuExecutor, options(256)), MemoryError);
  });

  const wrong: [string, EngineOptions][] = [
    ["window", { window: 101 }],
    ["window", { window: 1 }],
    ["window", { window: 10.5 }],
    ["slots", { window: 50, slots: 0 }],
    ["pageSize", { window: 50, pageSize: 0 }],
    ["chunkRows", { window: 50, chunkRows: -1 }],
  ];
  for (const [field, options] of wrong) {
    test(`${JSON.stringify(options)} is refused before anything is opened, naming ${field}`, async () => {
      const model = doubleModel(100, true);
      const executor = new DoubleExecutor();
      await assert.rejects(plan(model, doubleStore, executor, options, 1), refusalOf(field));
      await assert.rejects(openEngine(model, doubleStore, executor, options), refusalOf(field));
      assert.deepEqual(executor.graphs, {});
    });
  }
});
