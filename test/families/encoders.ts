// The golden suite of one executor on encoders: hidden values of every layer, logits of hidden tokens, what is made of a
// text's first row; and no byte of a text's result depends on the texts that run with it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Executor, OpenModel, ParameterStore } from "../../src/device/executor.ts";
import { openEncoder } from "../../src/engine/encoder.ts";
import { type TextRows, setRows } from "../../src/engine/row-inputs.ts";
import { graph } from "../../src/graph/index.ts";
import { type Model, traceRows } from "../../src/models/index.ts";
import { type CaseName, type Golden, encoderNames, openCase, readGolden } from "./cases.ts";
import { type SuiteOptions, assertClose } from "./golden.ts";

const ROWS = 64;

/** All that there is to ask of an encoder, of every row. */
export async function openAll(executor: Executor, store: ParameterStore, model: Model) {
  const { head, taps } = traceRows(model, { rows: ROWS, outputRows: ROWS, trains: () => false });
  const outputs = new Map(taps);
  if (model.heads.logits !== undefined) outputs.set("logits", head("logits"));
  const opened = await executor.open(store, { all: graph(Object.fromEntries(outputs)) }, { precision: "f32" });
  return { opened, run: (sequences: readonly TextRows[]) => runAll(opened, model, sequences) };
}

async function runAll(
  { programs: { all } }: OpenModel<"all">,
  model: Model,
  sequences: readonly TextRows[],
): Promise<Record<string, Float32Array>> {
  const every = sequences.map((sequence) => ({ ...sequence, outputs: Array.from(sequence.ids, (_, row) => row) }));
  const extents = setRows(model, all, every);
  await all.run(extents);
  const rows = Object.entries(all.outputs);
  return Object.fromEntries(rows.map(([name, x]) => [name, x.slice(0, (x.length / ROWS) * extents.rows)]));
}

/** The rows of a padded batch that are no padding. */
export function batchRows({ i32 }: Golden): TextRows[] {
  const { batch_input_ids: ids, batch_attention_mask: mask } = i32;
  const length = ids.length / 2;
  return [0, 1].map((text) => {
    const own = ids.subarray(text * length, (text + 1) * length);
    return { ids: own.filter((_, i) => mask[text * length + i] === 1) };
  });
}

/** `factor` times a case's natural tolerance is what results may differ by: the caller says why. */
export function encoderSuite(
  executor: Executor,
  factor: number,
  { names = encoderNames, numbersAlone = false }: SuiteOptions<CaseName> = {},
): void {
  for (const name of names) {
    describe(`${executor.name} (${executor.tier}) on ${name}`, () => caseSuite(executor, factor, name, numbersAlone));
  }
}

function caseSuite(executor: Executor, factor: number, name: CaseName, numbersAlone: boolean): void {
  let golden: Golden;
  let model: Model;
  let all: Awaited<ReturnType<typeof openAll>>;
  const close = (found: ArrayLike<number>, what: string): void =>
    assertClose(found, golden.f32[what], factor * golden.hiddenTolerance, what);

  before(async () => {
    golden = await readGolden(name);
    await using opened = await openCase(name);
    ({ model } = opened);
    all = await openAll(executor, opened.store, model);
  });
  after(() => all.opened.close());

  test("gives the golden hidden values and logits", async () => {
    const { input_ids_a: a, input_ids_b: b, token_type_ids_a: segments } = golden.i32;
    const long = await all.run([{ ids: a, segments }]);
    const short = await all.run([{ ids: b }]);
    for (let layer = 0; layer <= model.layers; layer++) close(long[`hidden.${layer}`], `hidden_a_${layer}`);
    close(short[`hidden.${model.layers}`], "hidden_b_last");
    assert.equal("logits_a" in golden.f32, "logits" in long);
    if ("logits" in long) close(long.logits, "logits_a");
    if ("logits" in short) close(short.logits, "logits_b");
  });

  if (numbersAlone) return;

  test("a text's bytes do not depend on the texts beside it", async () => {
    const { input_ids_a: a, input_ids_b: b } = golden.i32;
    const [first, second] = [await all.run([{ ids: b }]), await all.run([{ ids: a }])];
    const together = await all.run([{ ids: b }, { ids: a }]);
    for (const [output, values] of Object.entries(together)) {
      assert.deepEqual(values, Float32Array.of(...first[output], ...second[output]), output);
    }
  });

  test("an encoder gives the rows that were asked for, of texts in several runs", async () => {
    await using opened = await openCase(name);
    const give = model.heads.pooled === undefined ? "hidden" : "pooled";
    await using encoder = await openEncoder(opened.model, opened.store, executor, { give, precision: "f32" });
    const texts = batchRows(golden).map((text) => ({ ...text, outputs: [0] }));
    const found = await encoder.run([...texts, ...Array.from({ length: 40 }, () => texts[1])]); // more than 1024 rows
    close(Float32Array.of(...found[0], ...found[1]), give === "pooled" ? "pooler_output_batch" : "cls");
    assert.deepEqual(found.at(-1), found[1]);
  });
}
