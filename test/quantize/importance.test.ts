// Importances of columns: the sums against plain loops, the same on every executor, kept in a file and read again.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError } from "../../src/base/errors.ts";
import { openModelParts } from "../../src/chat/model-parts.ts";
import { createTextSide } from "../../src/chat/text-side.ts";
import { cpuExecutor } from "../../src/device/cpu/executor.ts";
import type { ParameterStore } from "../../src/device/executor.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { activationSquares } from "../../src/engine/activation-squares.ts";
import { openGguf } from "../../src/format/gguf-files.ts";
import { formats } from "../../src/numeric/registry.ts";
import { measureImportance, readImportance, writeImportance } from "../../src/quantize/index.ts";
import { storiesModel } from "../../src/store/built-in.ts";
import { temporaryFolder } from "../convert/folders.ts";

const TEXT = "Once upon a time there was a little girl. She liked to play in the park with her dog.";
const QUERY = "layers.0.attention.query.weight";
const EPSILON = 1e-5; // the built-in model's

async function valuesOf(store: ParameterStore, name: string): Promise<Float32Array> {
  const { byteLength, format, rows, columns } = store.parameters.get(name)!;
  const bytes = new Uint8Array(byteLength);
  await store.readRows(name, 0, bytes);
  return formats[format].decode(bytes, rows * columns);
}

describe("importance", () => {
  test("of the first layer's queries is the squares of the normed embeddings, added up", async () => {
    await using parts = await openModelParts(storiesModel.path);
    const { model, store, tokenizer } = parts;
    const ids = tokenizer.encode(TEXT);
    const { sums, tokens } = await activationSquares(model, store, referenceExecutor, [ids]);
    const [table, gain] = [
      await valuesOf(store, "embedding.weight"),
      await valuesOf(store, "layers.0.attentionNorm.weight"),
    ];
    const { width } = model;
    const expected = new Float64Array(width);
    for (const id of ids) {
      const row = table.subarray(id * width, (id + 1) * width);
      const meanSquare = row.reduce((sum, value) => sum + value ** 2, 0) / width;
      for (const [i, value] of row.entries()) expected[i] += (value * gain[i]) ** 2 / (meanSquare + EPSILON);
    }
    assert.equal(tokens, ids.length);
    for (const [i, value] of sums.get(QUERY)!.entries()) assert.ok(Math.abs(value / expected[i] - 1) < 1e-5, `${i}`);
    assert.deepEqual(sums.get(QUERY), sums.get("layers.0.attention.value.weight"));
    assert.equal(sums.size, 7 * model.layers); // every matrix of a layer; the head is no projection of one
  });

  test("is the same on the cpu as on the reference executor, with threads and in pieces", async () => {
    await using parts = await openModelParts(storiesModel.path);
    const { model, store, tokenizer } = parts;
    const ids = tokenizer.encode(TEXT);
    const expected = await activationSquares(model, store, referenceExecutor, [ids], { rows: 16 });
    const found = await activationSquares(model, store, cpuExecutor, [ids], { rows: 16, threads: 2 });
    for (const [name, sums] of expected.sums) {
      const most = sums.reduce((a, b) => Math.max(a, b), 0);
      for (const [i, value] of found.sums.get(name)!.entries()) {
        assert.ok(Math.abs(value - sums[i]) < 1e-4 * most, `${name}[${i}]: ${value}, expected ${sums[i]}`);
      }
    }
    const first = await activationSquares(model, store, referenceExecutor, [ids.slice(0, 16)], { rows: 16 });
    const rest = await activationSquares(model, store, referenceExecutor, [ids.slice(16)], { rows: 16 });
    for (const [i, value] of expected.sums.get(QUERY)!.entries()) {
      assert.ok(Math.abs(first.sums.get(QUERY)![i] + rest.sums.get(QUERY)![i] - value) < 1e-6 * value);
    }
  });

  test("of several texts is the sum of each one's: they see nothing of each other, whatever they share a run with", async () => {
    await using parts = await openModelParts(storiesModel.path);
    const { model, store, tokenizer } = parts;
    const texts = ["The cat sat.", TEXT, "A dog ran to the sea."].map((text) => tokenizer.encode(text));
    const together = await activationSquares(model, store, referenceExecutor, texts, { rows: 32 });
    const apart = await Promise.all(
      texts.map((ids) => activationSquares(model, store, referenceExecutor, [ids], { rows: 32 })),
    );
    assert.equal(together.tokens, texts.flat().length);
    for (const [name, sums] of together.sums) {
      for (const [i, value] of sums.entries()) {
        const expected = apart.reduce((total, { sums: own }) => total + own.get(name)![i], 0);
        assert.ok(Math.abs(value - expected) <= 1e-6 * expected, `${name}[${i}]`);
      }
    }
  });

  test("of conversations reads what the template makes of each, and tells how many it refuses", async () => {
    async function* chats() {
      yield [
        { role: "user", content: "Once upon a time" } as const,
        { role: "assistant", content: "there was" } as const,
      ];
      yield [{ role: "user", content: [{ type: "image" }] } as const];
    }
    const measured = await measureImportance(storiesModel.path, chats(), { threads: 1 });
    assert.deepEqual([measured.conversations!.read, measured.conversations!.refused], [1, 1]);
    assert.match(measured.conversations!.refusal!, /of type "image"/);
    await using parts = await openModelParts(storiesModel.path);
    const rendered = await createTextSide({ tokenizer: parts.tokenizer, template: parts.chosen.template }).promptIds(
      [
        { role: "user", content: "Once upon a time" },
        { role: "assistant", content: "there was" },
      ],
      { addGenerationPrompt: false },
    );
    assert.equal(measured.tokens, rendered.length);
  });

  test("comes back from a file, which has llama.cpp's names", async () => {
    await using folder = await temporaryFolder();
    const measured = await measureImportance(storiesModel.path, TEXT, { threads: 1 });
    await writeImportance(folder.at("matrix.gguf"), measured, "a story");
    const again = await readImportance(folder.at("matrix.gguf"));
    assert.deepEqual([...again.keys()], [...measured.importance.keys()]);
    for (const [name, values] of measured.importance) {
      for (const [i, value] of again.get(name)!.entries()) assert.ok(Math.abs(value - values[i]) <= 1e-6 * values[i]);
    }
    await using files = await openGguf(folder.at("matrix.gguf"));
    assert.equal(files.config["general.type"], "imatrix");
    assert.deepEqual(files.tensors.get("blk.0.attn_q.weight.in_sum2")!.shape, [1, 64]);
    assert.deepEqual(files.tensors.get("blk.0.attn_q.weight.counts")!.shape, [1, 1]);
  });

  test("is not read from a model", async () => {
    await assert.rejects(readImportance(storiesModel.path), FormatError);
  });
});
