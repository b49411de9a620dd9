// Adapters that are attached to a running model, on tiny models of every family: what they give is what the model gives
// with the adapter folded into its weights, whoever else runs beside it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { UsageError } from "../../src/base/errors.ts";
import type { Executor } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type AttachedAdapter, roomFor } from "../../src/engine/adapters.ts";
import { type AdapterTables, readAdapterTables } from "../../src/engine/adapter-tables.ts";
import { type Engine, type GenerateRequest, openEngine } from "../../src/engine/index.ts";
import { type CaseName, openCase, readGolden } from "../families/cases.ts";
import { type SuiteOptions, assertClose } from "../families/golden.ts";
import { type AdapterSpec, makeAdapter, mergedStore } from "./adapter-cases.ts";
import { read } from "./harness.ts";

const cases = ["llama-3", "qwen2", "qwen3", "gemma3_text", "gpt2"] as const satisfies CaseName[];
type Case = (typeof cases)[number];
const REPLY = 8;
const ENGINE = { window: 64, slots: 4, kvType: "f32", pageSize: 4, chunkRows: 12 } as const;

/** Of every kind of file, of some projections and all, of ranks that differ; the last one is DoRA. */
const specs: readonly AdapterSpec[] = [
  { seed: 1, rank: 3, alpha: 6, kind: "hf" },
  { seed: 2, rank: 5, alpha: 2, kind: "gguf", adapts: (name) => /attention\.(query|value)|mlp\.down/.test(name) },
  { seed: 3, rank: 4, alpha: 3, kind: "hf", rankStabilised: true, magnitude: true },
];

/** By case: the logits of the merged models, and of the model itself last; of the reference, whatever is compared with it. */
const expected = new Map<Case, Promise<Float32Array[]>>();

async function expectedLogits(name: Case): Promise<Float32Array[]> {
  const golden = await readGolden(name);
  await using opened = await openCase(name);
  const { model, store } = opened;
  const logits: Float32Array[] = [];
  for (const spec of specs) {
    const merged = await mergedStore(store, makeAdapter(model, spec));
    await using engine = await openEngine(model, merged, referenceExecutor, ENGINE);
    logits.push(await engine.logits(Array.from(golden.i32.input_ids_a)));
  }
  return [...logits, golden.f32.logits_a];
}

/**
 * `factor` times a case's natural tolerance is what logits may differ by. `numbersAlone`: only logits are asked for, not what
 * the engine makes of them.
 */
export function adapterSuite(
  executor: Executor,
  factor: number,
  { names = cases, numbersAlone = false }: SuiteOptions<Case> = {},
): void {
  for (const name of names) {
    describe(`adapters on ${executor.name} (${executor.tier}), ${name}`, () =>
      caseSuite(executor, factor, name, numbersAlone));
  }
}

function caseSuite(executor: Executor, factor: number, name: Case, numbersAlone: boolean): void {
  let ids: number[];
  let tolerance: number;
  let engine: Engine;
  let tables: AdapterTables[];
  let adapters: (AttachedAdapter | undefined)[];
  let merged: Float32Array[];

  before(async () => {
    const golden = await readGolden(name);
    ids = Array.from(golden.i32.input_ids_a);
    tolerance = factor * golden.logitTolerance;
    await using opened = await openCase(name);
    const { model, store } = opened;
    if (!expected.has(name)) expected.set(name, expectedLogits(name));
    merged = await expected.get(name)!;
    const made = specs.map((spec) => makeAdapter(model, spec));
    tables = await Promise.all(made.map(({ files }) => readAdapterTables(files, model, store)));
    engine = await openEngine(model, store, executor, { ...ENGINE, adapters: roomFor(model, tables) });
    adapters = [];
    for (const one of tables) adapters.push(await engine.attach(one));
    adapters.push(undefined);
  });
  after(() => engine.close());

  test("gives the logits of the merged weights, and without one the model's own", async () => {
    for (const [i, adapter] of adapters.entries()) {
      const found = await engine.logits(ids, { adapter });
      assertClose(found, merged[i], tolerance, `adapter ${i}`);
      if (adapter === undefined) continue;
      const away = found.reduce((most, value, at) => Math.max(most, Math.abs(value - merged[specs.length][at])), 0);
      assert.ok(away > 100 * tolerance, `adapter ${i} changes the logits by ${away}`);
    }
  });

  if (numbersAlone) return;

  test("reads a prompt as it decodes it", async () => {
    for (const adapter of adapters) {
      const prompt = ids.slice(0, 9);
      const { ids: reply, events } = await read(engine, { ids: prompt, adapter, maxTokens: REPLY, logprobs: 0 });
      const scores = await engine.score([...prompt, ...reply], { adapter });
      const logprobs = events.flatMap((event) => (event.type === "token" ? [event.logprob!] : []));
      assertClose(logprobs, scores.subarray(prompt.length - 1), 2 * tolerance, "log-probabilities of the reply");
    }
  });

  test("gives rows of several adapters and of none in one run what each gets alone", async () => {
    const requests = adapters.map((adapter, i): GenerateRequest => {
      return { ids: ids.slice(i, i + 7), adapter, maxTokens: REPLY, logprobs: 2, reproducible: true };
    });
    const together = await Promise.all(requests.map((request) => read(engine, request)));
    for (const [i, request] of requests.entries()) {
      const alone = await read(engine, request);
      const tokens = [alone, together[i]].map(({ events }) => events.filter(({ type }) => type === "token"));
      assert.deepEqual(tokens[1], tokens[0], `request ${i}, down to the bits of its log-probabilities`);
    }
  });

  test("reuses no prefix of another adapter", async () => {
    const prompt = ids.slice(0, 20);
    for (const adapter of adapters) {
      const first = await read(engine, { ids: prompt, adapter, maxTokens: 2 });
      const again = await read(engine, { ids: prompt, adapter, maxTokens: 2 });
      assert.equal(again.end.cached, prompt.length - 1);
      assert.deepEqual(again.ids, first.ids);
    }
    const [a, b] = adapters;
    const fresh = ids.slice(5, 25);
    await read(engine, { ids: fresh, adapter: a, maxTokens: 2 });
    for (const adapter of [b, undefined]) {
      assert.equal((await read(engine, { ids: fresh, adapter, maxTokens: 2 })).end.cached, 0);
    }
  });

  test("a place that was detached is another adapter's, also while the model runs", async () => {
    const [a] = adapters;
    const prompt = ids.slice(0, 12);
    engine.detach(a!);
    await assert.rejects(read(engine, { ids: prompt, adapter: a, maxTokens: 1 }), UsageError);
    // there are four places
    const others = [await engine.attach(tables[1]), await engine.attach(tables[1])];
    assert.ok(others.every((other) => other !== undefined));
    assert.equal(await engine.attach(tables[1]), undefined, "all places are taken");
    const expected = await read(engine, { ids: prompt, adapter: adapters[1], maxTokens: REPLY });
    for (const adapter of others) {
      const { ids: reply, end } = await read(engine, { ids: prompt, adapter, maxTokens: REPLY });
      assert.deepEqual(reply, expected.ids);
      assert.equal(end.cached, 0, "not what its place's last adapter had");
    }
    for (const other of others) engine.detach(other);
    const running = engine.generate({ ids: prompt, maxTokens: 40, reproducible: true })[Symbol.asyncIterator]();
    await running.next();
    adapters[0] = await engine.attach(tables[0]);
    const back = await engine.logits(ids, { adapter: adapters[0] });
    assertClose(back, merged[0], tolerance, "attached again, beside a reply");
    await running.return?.();
  });

  test("refuses what it has no room for", async () => {
    const [one] = tables;
    const [projection, parts] = [...one.projections][0];
    const wide = { ...parts, rank: 17 };
    assert.equal(await engine.attach({ file: "wide", projections: new Map([[projection, wide]]) }), undefined);
  });
}
