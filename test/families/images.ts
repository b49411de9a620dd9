// The golden suite of one executor on models that read images: hidden values of every layer, what heads say of images and of
// texts; and no byte of an image's result depends on the images that run with it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Executor, OpenModel } from "../../src/device/executor.ts";
import { type RowSequence, setRows } from "../../src/engine/row-inputs.ts";
import { graph } from "../../src/graph/index.ts";
import { cutPatches } from "../../src/image/patches.ts";
import { type HeadName, type Model, traceRows } from "../../src/models/index.ts";
import { type Golden, imageNames, openCase, readGolden } from "./cases.ts";
import { type SuiteOptions, assertClose } from "./golden.ts";

const ROWS = 64;
type Values = Readonly<Record<string, Float32Array>>;

/** All values of every row of `model`, and what its head says of them. */
async function openAll(executor: Executor, store: Parameters<Executor["open"]>[0], model: Model) {
  const { head, taps } = traceRows(model, { rows: ROWS, outputRows: ROWS, trains: () => false });
  const heads = Object.keys(model.heads).map((name) => [name, head(name as HeadName)] as const);
  const all = graph(Object.fromEntries([...taps, ...heads]));
  const opened: OpenModel<"all"> = await executor.open(store, { all }, { precision: "f32" });
  const { all: program } = opened.programs;
  return {
    opened,
    async run(sequences: readonly RowSequence[]): Promise<Values> {
      const extents = setRows(model, program, sequences);
      await program.run(extents);
      const given = Object.entries(program.outputs).map(([name, x]) => {
        const rows = name in model.heads ? extents.outputRows : extents.rows;
        return [name, x.slice(0, (x.length / ROWS) * rows)];
      });
      return Object.fromEntries(given) as Values;
    },
  };
}

/** The case's images as rows, of which the first is asked for. */
function imagesOf({ f32 }: Golden, { side, patchSide }: NonNullable<Model["imageFormat"]>): RowSequence[] {
  const pixels = f32.pixel_values;
  const count = 3 * side * side;
  return Array.from({ length: pixels.length / count }, (_, i) => ({
    patches: cutPatches(pixels.subarray(i * count, (i + 1) * count), side, patchSide),
    outputs: [0],
  }));
}

/** `factor` times a case's natural tolerance is what results may differ by: the caller says why. */
export function imageSuite(
  executor: Executor,
  factor: number,
  { numbersAlone = false }: Pick<SuiteOptions<string>, "numbersAlone"> = {},
): void {
  for (const name of imageNames) {
    describe(`${executor.name} (${executor.tier}) on ${name}`, () => {
      let golden: Golden;
      let model: Model;
      let reader: Model;
      let images: Awaited<ReturnType<typeof openAll>>;
      let texts: typeof images | undefined;
      let logitScale: number;
      const close = (found: ArrayLike<number>, expected: ArrayLike<number>, what: string): void =>
        assertClose(found, expected, factor * golden.hiddenTolerance, what);

      before(async () => {
        golden = await readGolden(name);
        await using opened = await openCase(name);
        ({ model } = opened);
        reader = model.imageTower ?? model;
        images = await openAll(executor, opened.store, reader);
        if (reader !== model) texts = await openAll(executor, opened.store, model);
        const scale = new Float32Array(1);
        if (model.logitScale !== undefined)
          await opened.store.readRows(model.logitScale, 0, new Uint8Array(scale.buffer));
        [logitScale] = scale;
      });
      after(async () => {
        await images.opened.close();
        await texts?.opened.close();
      });

      test("gives the golden values of images", async () => {
        const { f32 } = golden;
        const rows = imagesOf(golden, reader.imageFormat!);
        const first = await images.run(rows.slice(0, 1));
        const prefix = "logits" in f32 ? "hidden_0" : "vision_hidden_0";
        for (let layer = 0; layer < reader.layers; layer++) {
          close(first[`hidden.${layer}`], f32[`${prefix}_${layer}`], `layer ${layer}`);
        }
        const { scores, embedding } = await images.run(rows);
        if (scores !== undefined) close(scores, f32.logits, "logits");
        else close(unitRows(embedding, 2), f32.image_embeds, "image_embeds");
        assert.equal(scores === undefined, texts !== undefined);
      });

      test("gives the golden values of texts, and how like each image each is", async () => {
        const { f32, i32 } = golden;
        assert.equal(texts !== undefined, "text_embeds" in f32);
        if (texts === undefined) return;
        const length = i32.input_ids.length / 2;
        const all = [0, 1].map((text) => i32.input_ids.subarray(text * length, (text + 1) * length));
        const sequences = all.map((ids) => ({ ids, outputs: [ids.indexOf(model.endId!)] }));
        const first = await texts.run(sequences.slice(0, 1));
        const ownRows = (sequences[0].outputs[0] + 1) * model.width; // what is behind the end is padding
        const last = first[`hidden.${model.layers}`].subarray(0, ownRows);
        close(last, f32.text_last_hidden.subarray(0, ownRows), "text_last_hidden");
        const embeds = unitRows((await texts.run(sequences)).embedding, 2);
        close(embeds, f32.text_embeds, "text_embeds");
        const pictures = unitRows((await images.run(imagesOf(golden, reader.imageFormat!))).embedding, 2);
        const columns = embeds.length / 2;
        const likeness = [0, 1].flatMap((i) =>
          [0, 1].map((j) => {
            const text = embeds.subarray(j * columns, (j + 1) * columns);
            return text.reduce((sum, value, k) => sum + value * pictures[i * columns + k], 0) * Math.exp(logitScale);
          }),
        );
        close(likeness, f32.logits_per_image, "logits_per_image");
      });

      if (numbersAlone) return;

      test("an image's bytes do not depend on the images beside it", async () => {
        const rows = imagesOf(golden, reader.imageFormat!);
        const [a, b, both] = [await images.run([rows[0]]), await images.run([rows[1]]), await images.run(rows)];
        for (const [output, values] of Object.entries(both)) {
          assert.deepEqual(values, Float32Array.of(...a[output], ...b[output]), output);
        }
      });
    });
  }
}

function unitRows(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  return values.map((value, i) => {
    const first = i - (i % columns);
    return value / Math.hypot(...values.subarray(first, first + columns));
  });
}
