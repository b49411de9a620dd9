// The memory plan against what the executor then takes, and the options that are refused.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UsageError } from "../../src/base/errors.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type EngineOptions, type EnginePlan, openEngine, plan } from "../../src/engine/index.ts";
import { caseNames, openCase } from "../families/cases.ts";
import { DoubleExecutor, doubleModel, doubleStore } from "./double.ts";

const of = (options: EngineOptions, sliding = true): EnginePlan =>
  plan(doubleModel(100_000, sliding), doubleStore, options, 2 ** 30);
const refusalOf =
  (field: string) =>
  (error: unknown): boolean =>
    error instanceof UsageError && error.field === field;

describe("the plan", () => {
  for (const name of caseNames) {
    test(`counts the weights and the cache of ${name} to the byte`, async () => {
      await using opened = await openCase(name);
      for (const kvType of ["f16", "f32"] as const) {
        const options: EngineOptions = { window: 40, slots: 2, kvType, pageSize: 8 };
        const planned = plan(opened.model, opened.store, options, 2 ** 30);
        await using engine = await openEngine(opened.model, opened.store, referenceExecutor, options);
        assert.equal(planned.weightBytes, engine.memory.weightBytes);
        assert.equal(planned.kvBytes, engine.memory.stateBytes);
        // the reference holds values in f64, so twice the bytes; the planner's gaps may differ by a few values
        const ratio = (2 * planned.arenaBytes) / engine.memory.arenaBytes;
        assert.ok(ratio > 0.9 && ratio < 1.1, `arena: ${ratio} of what the reference takes`);
      }
    });
  }

  test("a full group takes the window, a sliding one its reach, and both grow with the slots", () => {
    assert.equal(of({ window: 6400 }, false).kvBytes, 4 * 6400 * 2 * 4 * 2);
    assert.equal(of({ window: 6400, slots: 1 }, false).kvBytes, 6400 * 2 * 4 * 2);
    assert.equal(of({ window: 6400, kvType: "f32" }, false).kvBytes, 4 * 6400 * 2 * 4 * 4);
    const sliding = of({ window: 64_000 }).kvBytes - of({ window: 64_000 }, false).kvBytes;
    assert.equal(sliding, of({ window: 6400 }).kvBytes - of({ window: 6400 }, false).kvBytes);
    assert.equal(of({ window: 6400 }).kvBytesPerToken, 2 * 2 * 4 * 2);
  });

  test("says whether it fits", () => {
    const { totalBytes, ...parts } = plan(doubleModel(100, true), doubleStore, { window: 100 }, 0);
    const { weightBytes, kvBytes, arenaBytes, vocabularyBytes } = parts;
    assert.equal(totalBytes, weightBytes + kvBytes + arenaBytes + vocabularyBytes);
    assert.equal(parts.fits, false);
    assert.equal(plan(doubleModel(100, true), doubleStore, { window: 100 }, totalBytes).fits, true);
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
      assert.throws(() => plan(model, doubleStore, options, 1), refusalOf(field));
      const executor = new DoubleExecutor();
      await assert.rejects(openEngine(model, doubleStore, executor, options), refusalOf(field));
      assert.deepEqual(executor.graphs, {});
    });
  }
});
