import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFakeModel, type FakeModel } from "../../test/server/fake-model.ts";
import { createGate, until } from "../../test/server/harness.ts";
import { NotFoundError, isAbort } from "../base/errors.ts";
import type { ListedModel } from "../store/index.ts";
import { createModelPool } from "./model-pool.ts";

function createPool(options: { beforeLoad?: (name: string) => Promise<void>; entries?: Partial<ListedModel>[] } = {}) {
  const loads: string[] = [];
  const models: FakeModel[] = [];
  // made anew for every question, as from a file
  const entries = () =>
    (options.entries ?? [{ name: "a" }, { name: "b" }, { name: "c" }]).map((entry, index) => ({
      name: "",
      path: entry.name ?? "",
      bytes: 1,
      addedAt: index,
      builtIn: false,
      ...entry,
    }));
  const pool = createModelPool({
    catalogue: {
      list: async () => entries(),
      async find(name) {
        const found = entries().find((entry) => entry.name === name);
        if (found === undefined) throw new NotFoundError(name);
        return found;
      },
    },
    async load(path, { onProgress, signal }) {
      loads.push(path);
      onProgress({ label: "load", done: 1, total: 2, unit: "bytes" });
      await options.beforeLoad?.(path);
      signal.throwIfAborted();
      const model = createFakeModel(path);
      models.push(model);
      return model;
    },
  });
  return { pool, loads, models };
}

describe("the model pool", () => {
  test("requests at once share one load, and all hear of its progress", async () => {
    const gate = createGate();
    const { pool, loads } = createPool({ beforeLoad: () => gate.wait() });
    const heard: number[] = [];
    const leases = [0, 1, 2].map((index) => pool.acquire("a", { onProgress: () => heard.push(index) }));
    await until(() => loads.length === 1, "the load begins");
    assert.deepEqual(pool.state()?.state, "loading");
    gate.open();
    const models = new Set((await Promise.all(leases)).map((lease) => lease.model));
    assert.equal(models.size, 1);
    assert.deepEqual(heard, [0, 1, 2]);
    assert.deepEqual(loads, ["a"]);
  });

  test("another model waits for the leases of the present one, which is closed before the load", async () => {
    const { pool, loads, models } = createPool();
    const first = await pool.acquire("a");
    const second = await pool.acquire("a");
    const other = pool.acquire("b");
    first.release();
    first.release(); // giving back twice counts once
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(loads, ["a"]);
    assert.equal(models[0].isClosed, false);
    second.release();
    const lease = await other;
    assert.deepEqual([models[0].isClosed, models[1].isClosed], [true, false]);
    assert.equal(lease.name, "b");
  });

  test("adapters are attached to their model once each, and stay with it", async () => {
    const entries = [
      { name: "a" },
      { name: "a@x", base: "a", path: "x" },
      { name: "a@y", base: "a", path: "y" },
      { name: "b" },
    ];
    const { pool, loads, models } = createPool({ entries });
    const names = ["a@x", "a", "a@y", "a@x"];
    const leases = await Promise.all(names.map((name) => pool.acquire(name)));
    assert.deepEqual(
      leases.map(({ name }) => name),
      names,
    );
    assert.deepEqual(loads, ["a"], "one load for all");
    const [x, y] = models[0].adapted;
    assert.equal(models[0].adapted.length, 2);
    assert.deepEqual(
      leases.map(({ model }) => model),
      [x, models[0], y, x],
    );
    assert.deepEqual([x.info.name, y.info.name], ["a@x", "a@y"]);
    assert.deepEqual([...pool.state()!.adapted.keys()], ["a@x", "a@y"]);
    const other = pool.acquire("b");
    for (const lease of leases) lease.release();
    await other;
    assert.equal(models[0].isClosed, true);
    assert.equal(pool.state()?.adapted.size, 0);
  });

  test("an adapter is attached anew when its files are others, and again after it failed", async () => {
    const adapter = { name: "a@x", base: "a", path: "x", addedAt: 1 };
    const { pool, models } = createPool({ entries: [{ name: "a" }, adapter] });
    const first = await pool.acquire("a@x");
    adapter.addedAt = 2;
    const second = await pool.acquire("a@x");
    assert.notEqual(first.model, second.model);
    assert.equal(models[0].adapted[0].isClosed, true);
    adapter.addedAt = 3;
    models[0].attach = () => Promise.reject(new Error("does not fit"));
    await assert.rejects(pool.acquire("a@x"), /does not fit/);
    await assert.rejects(pool.acquire("a@x"), /does not fit/);
    const base = await pool.acquire("a");
    assert.equal(base.model, models[0]);
  });

  test("who asks later waits its turn: a, b, a is three loads", async () => {
    const { pool, loads, models } = createPool();
    const first = await pool.acquire("a");
    const order: string[] = [];
    const use = async (name: string) => {
      using lease = await pool.acquire(name);
      order.push(lease.name);
    };
    const rest = [use("b"), use("a"), use("a")];
    first.release();
    await Promise.all(rest);
    assert.deepEqual(order, ["b", "a", "a"]);
    assert.deepEqual(loads, ["a", "b", "a"]);
    assert.equal(models.filter((model) => !model.isClosed).length, 1, "one is in memory");
  });

  test("files pulled anew under the same name, or others added under it, are loaded in place of those in memory", async () => {
    const entries = [{ name: "a", path: "old.gguf", addedAt: 1 }];
    const { pool, loads, models } = createPool({ entries });
    const acquire = async () => (await pool.acquire("a")).release();
    await acquire();
    entries[0].addedAt = 2;
    await acquire();
    await acquire();
    entries[0].path = "new.gguf";
    await acquire();
    assert.deepEqual(loads, ["old.gguf", "old.gguf", "new.gguf"]);
    assert.deepEqual(
      models.map((model) => model.isClosed),
      [true, true, false],
    );
  });

  test("a failed load fails those who wait, and the next request tries again", async () => {
    const failure = { error: new Error("disk") as Error | undefined };
    const { pool, loads } = createPool({
      async beforeLoad() {
        if (failure.error !== undefined) throw failure.error;
      },
    });
    const both = await Promise.allSettled([pool.acquire("a"), pool.acquire("a")]);
    assert.deepEqual(
      both.map((result) => result.status),
      ["rejected", "rejected"],
    );
    assert.equal(pool.state(), undefined);
    failure.error = undefined;
    using lease = await pool.acquire("a");
    assert.equal(lease.name, "a");
    assert.deepEqual(loads, ["a", "a"]);
  });

  test("who gives up while waiting gets AbortError at once, and a model that nobody waits for is not loaded", async () => {
    const { pool, loads, models } = createPool();
    const first = await pool.acquire("a");
    const abort = new AbortController();
    const waiting = pool.acquire("b", { signal: abort.signal });
    await until(() => pool.state()?.name === "b", "b is in line");
    abort.abort();
    await assert.rejects(waiting, isAbort);
    first.release();
    await until(() => models[0].isClosed, "a is closed");
    using again = await pool.acquire("c");
    assert.equal(again.name, "c");
    assert.deepEqual(loads, ["a", "c"]);
  });

  test("a load goes on when one of two waiting gives up", async () => {
    const gate = createGate();
    const { pool, loads } = createPool({ beforeLoad: () => gate.wait() });
    const abort = new AbortController();
    const one = pool.acquire("a", { signal: abort.signal });
    const two = pool.acquire("a");
    await until(() => loads.length === 1, "the load begins");
    abort.abort();
    await assert.rejects(one, isAbort);
    gate.open();
    assert.equal((await two).name, "a");
  });

  test("closing aborts a load, closes the model and refuses who comes later", async () => {
    const gate = createGate();
    const { pool, loads, models } = createPool({ beforeLoad: () => gate.wait() });
    const waiting = pool.acquire("a");
    await until(() => loads.length === 1, "the load begins");
    const closing = pool.close();
    gate.open();
    await assert.rejects(waiting, isAbort);
    await closing;
    await assert.rejects(pool.acquire("a"), isAbort);
    const other = createPool();
    (await other.pool.acquire("a")).release();
    await other.pool.close();
    assert.equal(other.models[0].isClosed, true);
    assert.equal(models.length, 0);
  });

  test("the default is the model in memory, else the newest there is, else the built-in", async () => {
    const gone = { name: "gone", addedAt: 9, bytes: null };
    const builtIn = { name: "tiny", builtIn: true, addedAt: 0 };
    const { pool } = createPool({ entries: [{ name: "old", addedAt: 1 }, { name: "new", addedAt: 5 }, gone, builtIn] });
    assert.equal(await pool.defaultName(), "new");
    (await pool.acquire("old")).release();
    assert.equal(await pool.defaultName(), "old");
    assert.equal(await createPool({ entries: [gone, builtIn] }).pool.defaultName(), "tiny");
    await assert.rejects(createPool({ entries: [] }).pool.acquire(undefined), /no model yet/);
    await assert.rejects(pool.acquire("gone"), /gone from/);
  });
});
