// Beam search: transformers' ids on golden models, the pages of beams that take over each other's beginnings (on the executor
// double, which finds any row out of place), and what it does not go with.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { UsageError, isAbort } from "../../src/base/errors.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { type Continuation, Hypotheses } from "../../src/engine/beams/hypotheses.ts";
import { type BeamSettings, type Engine, type GenerateRequest, openEngine } from "../../src/engine/index.ts";
import { cpuTiers } from "../cpu/tiers.ts";
import { type GoldenName, openCase } from "../families/cases.ts";
import { VOCABULARY } from "./double.ts";
import { openDouble, read, text } from "./harness.ts";

interface GoldenBeams {
  readonly model: GoldenName;
  readonly ids: number[];
  readonly maxTokens: number;
  readonly endIds: number[];
  readonly beams: number;
  readonly lengthPenalty?: number;
  readonly earlyStopping?: boolean | "never";
  readonly repetitionPenalty?: number;
  readonly forbidden?: number[];
  /** The end included. */
  readonly reply: number[];
}

const file = resolve(import.meta.dirname, "../golden/engine/beams.json");
const { cases } = JSON.parse(await readFile(file, "utf8")) as { cases: GoldenBeams[] };
const [fastest] = cpuTiers();
/** Cases of each model that the reference runs too, which is slow. */
const REFERENCE_CASES = 2;

function requestOf(golden: GoldenBeams, startId: number | undefined): GenerateRequest {
  const { ids, maxTokens, endIds, beams: count, lengthPenalty = 1, earlyStopping = false } = golden;
  const { repetitionPenalty = 1, forbidden = [] } = golden;
  return {
    ...(startId === undefined ? { ids } : { source: ids, ids: [startId] }),
    maxTokens,
    endIds,
    beams: { count, lengthPenalty, earlyStopping },
    sampling: { repetitionPenalty, logitBias: Object.fromEntries(forbidden.map((id) => [id, -Infinity])) },
  };
}

for (const executor of [referenceExecutor, fastest]) {
  describe(`beam search on ${executor.name} (${executor.tier})`, () => {
    for (const name of new Set(cases.map(({ model }) => model))) {
      test(`gives transformers' replies of ${name}, in pages of four`, async () => {
        await using opened = await openCase(name);
        const options = { window: 48, slots: 8, kvType: "f32", pageSize: 4, chunkRows: 4, precision: "f32" } as const;
        await using engine = await openEngine(opened.model, opened.store, executor, options);
        const all = cases.filter(({ model }) => model === name);
        for (const golden of all.slice(0, executor === referenceExecutor ? REFERENCE_CASES : all.length)) {
          const { ids, end } = await read(engine, requestOf(golden, opened.model.encoder?.startId));
          const { ids: prompt, reply, model: _, ...settings } = golden;
          const found = end.endId === undefined ? ids : [...ids, end.endId];
          assert.deepEqual(found, reply, `${JSON.stringify(settings)} after ${prompt.length} ids`);
          assert.equal(end.reason, end.endId === undefined ? "length" : "stop");
        }
      });
    }
  });
}

/** The same search without a cache: every beginning is read whole for each of its tokens. */
async function searched(
  engine: Engine,
  prompt: readonly number[],
  settings: Required<BeamSettings>,
  longest: number,
): Promise<number[]> {
  const hypotheses = new Hypotheses(settings, longest);
  let beginnings = [{ ids: [] as number[], score: 0 }];
  for (let tokens = 1; ; tokens++) {
    const all: Continuation[] = [];
    for (const [lane, { ids, score }] of beginnings.entries()) {
      const whole = [...prompt, ...ids];
      const logits = (await engine.logits(whole)).subarray(-VOCABULARY);
      const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
      logits.forEach((logit, id) => all.push({ lane, id, score: score + logit - total, isEnd: false }));
    }
    const next = hypotheses.step(all, tokens, (lane) => Int32Array.from(beginnings[lane].ids));
    if (next === undefined) return [...hypotheses.best().ids];
    beginnings = next.map(({ lane, id, score }) => ({ ids: [...beginnings[lane].ids, id], score }));
  }
}

describe("beams in pages", () => {
  for (const sliding of [false, true]) {
    test(`are those of a search that keeps nothing, ${sliding ? "with" : "without"} a sliding window`, async () => {
      await using opened = await openDouble({ sliding });
      const settings = { count: 4, lengthPenalty: 1, earlyStopping: false } as const;
      for (const prompt of [text(1, 3), text(2, 13)]) {
        const { ids } = await read(opened.engine, { ids: prompt, maxTokens: 30, beams: settings });
        assert.deepEqual(ids, await searched(opened.engine, prompt, settings, 30));
      }
    });
  }

  test("wait for sequences, share them with other replies, and give what each gives alone", async () => {
    await using opened = await openDouble({ slots: 4 });
    const requests: GenerateRequest[] = [
      { ids: text(3, 20), maxTokens: 12 },
      { ids: text(4, 9), maxTokens: 10, beams: { count: 4 } },
      { ids: text(4, 9), maxTokens: 11, beams: { count: 3 } },
      { ids: text(5, 30), maxTokens: 6 },
      { ids: text(6, 2), maxTokens: 14, beams: { count: 2 } },
    ];
    const together = await Promise.all(requests.map((request) => read(opened.engine, request)));
    for (const [i, request] of requests.entries()) {
      const alone = await read(opened.engine, { ...request, reproducible: true });
      assert.deepEqual(together[i].ids, alone.ids, `request ${i}`);
    }
  });

  test("are let go of by an abort, by leaving and by a run that fails", async () => {
    await using opened = await openDouble();
    const { engine, executor } = opened;
    const request = { ids: text(7, 40), maxTokens: 50, beams: { count: 4 } };
    const abort = new AbortController();
    executor.beforeRun = ({ program }) => {
      if (program === "decode") abort.abort();
    };
    await assert.rejects(read(engine, { ...request, signal: abort.signal }), isAbort);
    executor.beforeRun = ({ program }) => {
      if (program === "decode") throw new Error("broken");
    };
    await assert.rejects(read(engine, request), /broken/);
    executor.beforeRun = () => undefined;
    for await (const _ of engine.generate(request)) break;
    assert.equal((await read(engine, { ...request, maxTokens: 3 })).ids.length, 3); // all four sequences are there again
  });

  test("are refused where there are more of them than sequences, with a temperature, and with log-probabilities", async () => {
    await using opened = await openDouble({ slots: 2 });
    const refused: readonly (readonly [Partial<GenerateRequest>, RegExp])[] = [
      [{ beams: { count: 3 } }, /beams is 3, and the model was opened for 2/],
      [{ beams: { count: 0 } }, /beams is 0/],
      [{ beams: { count: 2, lengthPenalty: NaN } }, /lengthPenalty is NaN/],
      [{ beams: { count: 2 }, sampling: { temperature: 0.5 } }, /temperature is 0\.5, but beams are chosen/],
      [{ beams: { count: 2 }, logprobs: 1 }, /Log-probabilities are not given with beams/],
    ];
    for (const [changes, message] of refused) {
      const attempt = read(opened.engine, { ids: text(1, 5), maxTokens: 3, ...changes });
      await assert.rejects(attempt, (error) => error instanceof UsageError && message.test(error.message));
    }
  });
});
