// The golden suite of encoder-decoders on one executor: a source read once, then a reply step by step, whole, and with another
// sequence, held against what transformers computed.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Executor } from "../../src/device/executor.ts";
import type { Model } from "../../src/models/index.ts";
import { type EncoderDecoderName, type Golden, encoderDecoderNames, openCase, readGolden } from "./cases.ts";
import { type SuiteOptions, assertClose, bestId } from "./golden.ts";
import { type Runner, createRunner } from "./runner.ts";

/** `factor` times a case's natural tolerance is what results may differ by: the caller says why. */
export function encoderDecoderSuite(
  executor: Executor,
  factor: number,
  { names = encoderDecoderNames, numbersAlone = false }: SuiteOptions<EncoderDecoderName> = {},
): void {
  for (const name of names) {
    describe(`${executor.name} (${executor.tier}) on ${name}`, () => caseSuite(executor, factor, name, numbersAlone));
  }
}

function caseSuite(executor: Executor, factor: number, name: EncoderDecoderName, numbersAlone: boolean): void {
  let golden: Golden;
  let model: Model;
  let runner: Runner;

  before(async () => {
    golden = await readGolden(name);
    await using opened = await openCase(name);
    model = opened.model;
    const names = (prefix: string, layers: number) => Array.from({ length: layers + 1 }, (_, i) => `${prefix}.${i}`);
    const taps = [...names("hidden", model.layers), ...names("source", model.encoder!.layers)];
    runner = await createRunner(executor, opened.store, model, { taps });
  });
  after(() => runner[Symbol.asyncDispose]());

  test("gives the golden logits, and hidden states of both sides", async () => {
    runner.reset();
    const { i32, f32, logitTolerance, hiddenTolerance } = golden;
    const a = await runner.run([{ sequence: 0, source: i32.input_ids_a, ids: i32.decoder_input_ids_a }]);
    const b = await runner.run([{ sequence: 1, source: i32.input_ids_b, ids: i32.decoder_input_ids_b }]);
    assertClose(a.logits, f32.logits_a, factor * logitTolerance, "logits_a");
    assertClose(b.logits, f32.logits_b, factor * logitTolerance, "logits_b");
    const close = (tap: string, expected: string): void =>
      assertClose(a.taps[tap], f32[expected], factor * hiddenTolerance, expected);
    for (let i = 0; i <= model.layers; i++) close(`hidden.${i}`, `decoder_hidden_a_${i}`);
    for (let i = 0; i <= model.encoder!.layers; i++) close(`source.${i}`, `encoder_hidden_a_${i}`);
    close(`source.${model.encoder!.layers}`, "encoder_last_hidden_a");
  });

  test("gives the golden reply, one id after another", async () => {
    runner.reset();
    const { input_ids_b: source, greedy_b: expected } = golden.i32;
    const ids = [expected[0]];
    assert.equal(ids[0], model.encoder!.startId);
    while (ids.length < expected.length) {
      const first = ids.length === 1 ? { source } : {};
      const { logits } = await runner.run([{ sequence: 0, ids: ids.slice(-1), ...first }]);
      ids.push(bestId(logits, model.vocabularySize));
    }
    assert.deepEqual(ids, Array.from(expected));
  });

  if (numbersAlone) return;

  test("a reply in parts, and beside another whose source is read in the same run, gives the bytes it gives whole", async () => {
    const { input_ids_a, input_ids_b, decoder_input_ids_a: a, decoder_input_ids_b: b } = golden.i32;
    const alone = async (sequence: number, source: Int32Array, ids: Int32Array) => {
      runner.reset();
      return (await runner.run([{ sequence, source, ids }])).logits;
    };
    const whole = [await alone(0, input_ids_a, a), await alone(1, input_ids_b, b)];
    runner.reset();
    const together: number[][] = [[], []];
    for (let at = 0; at < Math.max(a.length, b.length); at++) {
      const sides = [
        { sequence: 1, source: input_ids_b, ids: b },
        { sequence: 0, source: input_ids_a, ids: a },
      ].filter(({ ids }) => at < ids.length);
      const { logits } = await runner.run(
        sides.map(({ sequence, source, ids }) => ({ sequence, ids: [ids[at]], ...(at === 0 && { source }) })),
      );
      for (const [i, { sequence }] of sides.entries()) {
        together[sequence].push(...logits.subarray(i * model.vocabularySize, (i + 1) * model.vocabularySize));
      }
    }
    for (const sequence of [0, 1]) assert.deepEqual(Float32Array.from(together[sequence]), whole[sequence]);
  });
}
