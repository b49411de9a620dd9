import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MemoryError } from "../base/errors.ts";
import type { Executor } from "../device/executor.ts";
import { openExecutor } from "./executors.ts";
import { checkFits, fitModel } from "./memory.ts";
import { openModelParts } from "./model-parts.ts";

const folder = fileURLToPath(new URL("../../test/golden/families/llama", import.meta.url));
await using parts = await openModelParts(folder);
const executor = await openExecutor();
const fit = async (availableBytes: number, options = {}) => await fitModel(parts, executor, options, availableBytes);

test("with room for all, the window is the model's and there are four slots", async () => {
  const { engine, memory } = await fit(1e9);
  assert.deepEqual([engine.window, engine.slots, memory.fits], [parts.model.window, 4, true]);
});

test("where memory is short, slots go first, then the window, down to what still is a conversation", async () => {
  const whole = (await fit(1e9)).memory.totalBytes;
  const fewer = await fit(whole - 1);
  assert.deepEqual([fewer.engine.window, fewer.engine.slots, fewer.memory.fits], [parts.model.window, 2, true]);
  const none = await fit(1000);
  assert.equal(none.memory.fits, false);
  assert.throws(
    () => checkFits("tiny", none),
    (error) => {
      assert.ok(error instanceof MemoryError);
      assert.deepEqual([error.availableBytes, error.neededBytes], [1000, none.memory.totalBytes]);
      return true;
    },
  );
});

test("the window is at most 8192 and halves as often as it must", async () => {
  const long = { store: parts.store, model: { ...parts.model, window: 100_000 } };
  assert.equal((await fitModel(long, executor, {}, 1e9)).engine.window, 8192);
  const halved = (await fitModel(long, executor, { window: 2048, slots: 1 }, 1e9)).memory.totalBytes;
  const { engine, memory } = await fitModel(long, executor, {}, halved);
  assert.deepEqual([engine.window, engine.slots, memory.fits], [2048, 1, true]);
});

test("there is a slot for every beam that the files recommend or the caller asks for", async () => {
  const translator = { ...parts, defaults: { beams: 6 } };
  assert.equal((await fitModel(translator, executor, {}, 1e9)).engine.slots, 6);
  assert.equal((await fitModel(translator, executor, { slots: 1 }, 1e9)).engine.slots, 6);
  assert.equal((await fitModel(translator, executor, { slots: 1, beams: 2 }, 1e9)).engine.slots, 2);
  assert.equal((await fit(1000, { beams: 8 })).engine.slots, 8, "memory does not take them");
});

test("what the caller asks for is not changed", async () => {
  const { engine, memory } = await fit(1000, { window: 100, slots: 3 });
  assert.deepEqual([engine.window, engine.slots, memory.fits], [100, 3, false]);
});

test("what the executor can address counts like the machine's memory", async () => {
  const whole = (await fit(1e9)).memory;
  const limited: Executor = {
    ...executor,
    async plan(...asked) {
      const use = await executor.plan(...asked);
      const taken = use.weightBytes + use.stateBytes + use.arenaBytes + use.runtimeBytes;
      return { ...use, headroomBytes: whole.totalBytes - whole.vocabularyBytes - 1 - taken };
    },
  };
  const { engine, memory } = await fitModel(parts, limited, {}, 1e9);
  assert.deepEqual([engine.slots, memory.fits, memory.availableBytes], [2, true, whole.totalBytes - 1]);
});
