// What a quantization promises: every tensor in the type that the mix gives it and with the bytes that plain encoding
// gives, a copy that was held against its original, and nothing left behind when that fails.
import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { FormatError, ShapeError, UnsupportedError, UsageError } from "../../src/base/errors.ts";
import type { Progress } from "../../src/base/progress.ts";
import { describeModel } from "../../src/chat/describe.ts";
import { checkWritten } from "../../src/convert/check.ts";
import { openSource } from "../../src/convert/source.ts";
import { openGguf } from "../../src/format/gguf-files.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { formats } from "../../src/numeric/registry.ts";
import { EncodeThreads } from "../../src/quantize/encode-threads.ts";
import { type Importance, type QuantizeOptions, quantize } from "../../src/quantize/index.ts";
import { measureErrors } from "../../src/quantize/tensor-errors.ts";
import { storiesModel } from "../../src/store/built-in.ts";
import { allBytes, temporaryFolder } from "../convert/folders.ts";
import { writeWideModel } from "./models.ts";

const STORY = "Once upon a time there was a little girl. She had a red ball and liked to play with it in the park.";
const story: QuantizeOptions = { type: "Q8_0", text: STORY, threads: 2 };
const UP = "blk.0.ffn_up.weight";

/** A tensor of a folder as f32. */
async function valuesIn(path: string, name: string): Promise<Float32Array<ArrayBuffer>> {
  await using files = await openModelFiles(path);
  const tensor = files.tensors.get(name)!;
  const bytes = new Uint8Array(tensor.byteLength!);
  await files.read(name, 0, bytes);
  return formats[tensor.format].decode(
    bytes,
    tensor.shape.reduce((a, b) => a * b, 1),
  );
}

/** Changes what a GGUF file says of a tensor: after its name stand the count of its sizes, these, then its type. */
function setType(bytes: Buffer, name: string, type: number): void {
  const sizes = bytes.indexOf(name) + name.length;
  bytes.writeUInt32LE(type, sizes + 4 + 8 * bytes.readUInt32LE(sizes));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("quantize", () => {
  test("writes each tensor in its type, with the bytes that encoding it at once gives", async () => {
    await using folder = await temporaryFolder();
    await writeWideModel(folder.at("hf"));
    const report = await quantize(folder.at("hf"), folder.at("small.gguf"), { type: "Q4_K_M", threads: 2 });
    const written = await allBytes(folder.at("small.gguf"));
    const typeOf = (name: string): string => written.get(name)!.type;
    assert.equal(typeOf("token_embd.weight"), "q6_k"); // it is the head as well
    assert.equal(typeOf(UP), "q4_k");
    assert.equal(typeOf("blk.0.attn_v.weight"), "q4_k");
    assert.equal(typeOf("blk.1.attn_v.weight"), "q6_k");
    assert.equal(typeOf("blk.0.attn_norm.weight"), "f32");
    const values = await valuesIn(folder.at("hf"), "model.layers.0.mlp.up_proj.weight");
    assert.equal(written.get(UP)!.hex, hex(formats.q4_k.encode!(values)));
    await using files = await openGguf(folder.at("small.gguf"));
    assert.equal(files.config["general.file_type"], 15);
    assert.equal(files.config["general.quantization_version"], 2);
    assert.deepEqual(report.comparison, { skipped: "it has no tokenizer, so no text can be read" });
    assert.ok(report.bits_per_weight > 4.5 && report.bits_per_weight < 6.6, String(report.bits_per_weight));
  });

  test("tells the error of each tensor as it is in the file", async () => {
    await using folder = await temporaryFolder();
    await writeWideModel(folder.at("hf"));
    const report = await quantize(folder.at("hf"), folder.at("small.gguf"), { type: "Q4_0", threads: 2 });
    const before = await valuesIn(folder.at("hf"), "model.layers.0.mlp.up_proj.weight");
    const after = await valuesIn(folder.at("small.gguf"), UP);
    const squares = before.reduce((sum, value) => sum + value ** 2, 0);
    const errors = before.reduce((sum, value, i) => sum + (after[i] - value) ** 2, 0);
    const found = report.tensors.find(({ name }) => name === UP)!;
    assert.ok(Math.abs(found.error / Math.sqrt(errors / squares) - 1) < 1e-9);
    assert.deepEqual([found.from, found.to, found.weights], ["f32", "q4_0", 256 * 256]);
    assert.equal(report.tensors.find(({ name }) => name === "output_norm.weight")!.error, 0);
  });

  test("weighs errors by importances, and refuses those of another model", async () => {
    await using folder = await temporaryFolder();
    await writeWideModel(folder.at("hf"));
    const columns = Float32Array.from({ length: 256 }, (_, i) => (i % 16 === 0 ? 100 : 1));
    const importance: Importance = new Map([[UP, columns]]);
    const report = await quantize(folder.at("hf"), folder.at("a.gguf"), { type: "Q4_K_M", importance, threads: 2 });
    const values = await valuesIn(folder.at("hf"), "model.layers.0.mlp.up_proj.weight");
    assert.equal((await allBytes(folder.at("a.gguf"))).get(UP)!.hex, hex(formats.q4_k.encode!(values, columns)));
    assert.ok(report.notes.some((line) => line.startsWith("No importances are known for blk.")));
    const other = (entries: Importance) =>
      quantize(folder.at("hf"), folder.at("b.gguf"), { type: "Q4_0", importance: entries });
    await assert.rejects(other(new Map([[UP, new Float32Array(128).fill(1)]])), ShapeError);
    await assert.rejects(other(new Map([["blk.0.attn_x.weight", columns]])), UsageError);
    assert.deepEqual((await readdir(folder.path)).sort(), ["a.gguf", "hf"]);
  });

  test("makes the same file with one thread as with three", async () => {
    await using folder = await temporaryFolder();
    await writeWideModel(folder.at("hf"));
    await quantize(folder.at("hf"), folder.at("one.gguf"), { type: "Q5_K_S", threads: 1 });
    await quantize(folder.at("hf"), folder.at("three.gguf"), { type: "Q5_K_S", threads: 3 });
    assert.ok((await readFile(folder.at("one.gguf"))).equals(await readFile(folder.at("three.gguf"))));
  });

  test("takes a GGUF file, runs both over a text, and says what stands in for the type", async () => {
    await using folder = await temporaryFolder();
    const labels = new Set<string>();
    const onProgress = ({ label }: Progress): void => void labels.add(label);
    const report = await quantize(storiesModel.path, folder.at("small.gguf"), { ...story, onProgress });
    assert.ok(!("skipped" in report.comparison));
    const { tokens, kl_divergence, perplexity_original, perplexity_copy, same_top } = report.comparison;
    assert.ok(tokens > 30 && kl_divergence > 0 && kl_divergence < 0.01, String(kl_divergence));
    assert.ok(Math.abs(perplexity_copy / perplexity_original - 1) < 0.02);
    assert.ok(same_top > 0.9);
    assert.ok(report.checks.texts! > 10 && report.checks.logits.largestDifference === 0);
    assert.ok(report.bytes < report.bytes_before / 2);
    assert.match(report.notes.join("\n"), /ffn_down\.weight and 4 more became f16 instead of q8_0/);
    for (const label of ["convert", "check", "compare"]) assert.ok(labels.has(label), label);
  });

  test("of a type of levels runs too, kept as it is; what has no kernels can be told", async () => {
    await using folder = await temporaryFolder();
    const report = await quantize(storiesModel.path, folder.at("levels.gguf"), { ...story, type: "IQ4_NL" });
    assert.ok(!("skipped" in report.comparison) && report.comparison.kl_divergence < 0.5);
    assert.deepEqual((await describeModel(folder.at("levels.gguf"))).keptAs, {});
    const bytes = await readFile(folder.at("levels.gguf"));
    setType(bytes, UP, formats.nvfp4.ggmlType); // its blocks are twice as long
    await writeFile(folder.at("other.gguf"), bytes);
    assert.deepEqual((await describeModel(folder.at("other.gguf"))).keptAs, { nvfp4: "bf16" });
  });

  test("of a quantized model says that errors add up", async () => {
    await using folder = await temporaryFolder();
    await quantize(storiesModel.path, folder.at("a.gguf"), { type: "Q8_0", threads: 2 });
    const report = await quantize(folder.at("a.gguf"), folder.at("b.gguf"), { type: "Q4_0", threads: 2 });
    assert.match(report.notes.join("\n"), /were quantized before \(q8_0\)/);
    assert.ok(report.bytes < report.bytes_before);
  });

  test("finds a tensor that is another one's, and names it", async () => {
    await using folder = await temporaryFolder();
    const bytes = await readFile(storiesModel.path);
    await writeFile(folder.at("broken.gguf"), bytes.fill(0, bytes.length - 4096)); // within the last tensor
    await using source = await openSource(storiesModel.path, {});
    await using threads = await EncodeThreads.start(1);
    const { compare } = measureErrors(source.model, threads);
    await assert.rejects(
      checkWritten(source, undefined, folder.at("broken.gguf"), {}, compare),
      (error: unknown) => error instanceof FormatError && /the error of blk\.\d\.[a-z_]+\.weight/.test(error.message),
    );
  });

  test("refuses weights that are no numbers, and names the tensor", async () => {
    await using folder = await temporaryFolder();
    await writeWideModel(folder.at("hf"));
    const path = folder.at("hf/model.safetensors");
    const bytes = await readFile(path);
    bytes.writeFloatLE(NaN, 8 + Number(bytes.readBigUInt64LE(0)));
    await writeFile(path, bytes);
    await assert.rejects(
      quantize(folder.at("hf"), folder.at("small.gguf"), { type: "Q4_K_M", threads: 1 }),
      (error: unknown) => (error as UnsupportedError).message.startsWith("Tensor token_embd.weight holds NaN."),
    );
    assert.deepEqual(await readdir(folder.path), ["hf"]);
  });

  test("replaces a file only when it may, and leaves nothing behind after an abort", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("small.gguf"), "mine");
    await assert.rejects(quantize(storiesModel.path, folder.at("small.gguf"), story), /is there already/);
    await assert.rejects(quantize(storiesModel.path, folder.at("small"), story), /ends in \.gguf/);
    const abort = new AbortController();
    const options = { ...story, force: true, signal: abort.signal, onProgress: () => abort.abort() };
    await assert.rejects(quantize(storiesModel.path, folder.at("small.gguf"), options), { name: "AbortError" });
    assert.equal(await readFile(folder.at("small.gguf"), "utf8"), "mine");
    assert.deepEqual(await readdir(folder.path), ["small.gguf"]);
    await quantize(storiesModel.path, folder.at("small.gguf"), { ...story, text: "", force: true });
  });
});
