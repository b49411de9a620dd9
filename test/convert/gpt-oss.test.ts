// gpt-oss between a folder and GGUF: experts in four-bit blocks, which both hold in another order, and what GGUF cannot say.
// Its float form is among all families' (families.test.ts).
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { uniform } from "../../src/base/random.ts";
import { convert } from "../../src/convert/index.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { type SafetensorToWrite, writeSafetensors } from "../../src/format/safetensors.ts";
import { readModelFiles } from "../../src/engine/file-store.ts";
import { caseFiles } from "../families/cases.ts";
import { allTensors } from "../families/memory-files.ts";
import { type Folder, allBytes, readJson, temporaryFolder } from "./folders.ts";

const [EXPERTS, WIDTH, FORWARD] = [6, 32, 32];

function* randomBytes(length: number, stream: number, from = 0, to = 256): Generator<Uint8Array> {
  yield Uint8Array.from({ length }, (_, i) => from + Math.floor(uniform(3, stream, i) * (to - from)));
}

/** The golden case with its experts in blocks, whose scales keep values near 1. */
async function blocksFolder(folder: Folder, changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  await using files = await caseFiles("gpt_oss", "config.legacy.json");
  const tensors: SafetensorToWrite[] = [];
  for (const [name, { shape, values }] of await allTensors(files)) {
    if (name.includes("experts")) continue;
    tensors.push({ name, shape, dtype: "F32", data: () => [new Uint8Array(values.slice().buffer)] });
  }
  for (const layer of [0, 1]) {
    for (const [part, rows, columns] of [
      ["gate_up_proj", 2 * FORWARD, WIDTH],
      ["down_proj", WIDTH, FORWARD],
    ] as const) {
      const name = `model.layers.${layer}.mlp.experts.${part}`;
      const blocks = [EXPERTS, rows, columns / 32];
      const count = blocks.reduce((a, b) => a * b);
      const bias = Float32Array.from({ length: EXPERTS * rows }, (_, i) => Math.sin(i));
      tensors.push(
        { name: `${name}_blocks`, shape: [...blocks, 16], dtype: "U8", data: () => randomBytes(16 * count, layer) },
        { name: `${name}_scales`, shape: blocks, dtype: "U8", data: () => randomBytes(count, layer, 122, 126) },
        { name: `${name}_bias`, shape: [EXPERTS, rows], dtype: "F32", data: () => [new Uint8Array(bias.buffer)] },
      );
    }
  }
  const path = folder.at("hf");
  await mkdir(path);
  const quantization_config = { quant_method: "mxfp4", modules_to_not_convert: ["lm_head"] };
  const config = { ...files.config, intermediate_size: FORWARD, swiglu_limit: 7, quantization_config, ...changes };
  await writeFile(`${path}/config.json`, JSON.stringify(config));
  const pieces: Uint8Array[] = [];
  await writeSafetensors({ append: async (piece) => void pieces.push(piece.slice()) }, tensors);
  await writeFile(`${path}/model.safetensors`, Buffer.concat(pieces));
  return path;
}

describe("gpt-oss in four-bit blocks", () => {
  test("goes to GGUF and comes back with every bit of blocks and scales", async () => {
    await using folder = await temporaryFolder();
    const hf = await blocksFolder(folder);
    await convert(hf, folder.at("model.gguf"));
    const types = await allBytes(folder.at("model.gguf"));
    for (const part of ["gate", "up", "down"]) {
      assert.equal(types.get(`blk.1.ffn_${part}_exps.weight`)!.type, "mxfp4");
      assert.equal(types.get(`blk.1.ffn_${part}_exps.bias`)!.type, "f32");
    }
    const report = await convert(folder.at("model.gguf"), folder.at("again"));
    assert.ok(report.checks.weights > 0 && report.checks.logits.ids > 0);
    assert.deepEqual(await storedBytes(folder.at("again")), await storedBytes(hf));
    const config = await readJson(folder.at("again/config.json"));
    assert.equal((config.quantization_config as { quant_method: string }).quant_method, "mxfp4");
  });

  test("is decoded where floats are asked for, both ways", async () => {
    await using folder = await temporaryFolder();
    const hf = await blocksFolder(folder);
    await convert(hf, folder.at("blocks.gguf"));
    await convert(folder.at("blocks.gguf"), folder.at("floats"), { type: "bf16" });
    const config = await readJson(folder.at("floats/config.json"));
    assert.equal(config.quantization_config, undefined);
    const stack = (await allBytes(folder.at("floats"))).get("model.layers.0.mlp.experts.gate_up_proj")!;
    assert.deepEqual([stack.type, stack.hex.length / 4], ["bf16", EXPERTS * WIDTH * 2 * FORWARD]);
    await convert(hf, folder.at("direct.gguf"), { type: "bf16" });
    await convert(folder.at("floats"), folder.at("again.gguf"));
    const [direct, again] = [await allBytes(folder.at("direct.gguf")), await allBytes(folder.at("again.gguf"))];
    const experts = [...direct].filter(([name]) => name.endsWith("_exps.weight"));
    assert.equal(experts.length, 6);
    for (const [name, bytes] of experts) assert.deepEqual(again.get(name), bytes, name);
  });

  test("is refused where layers slide in another order, or its gate is cut elsewhere", async () => {
    for (const [changes, message] of [
      [{ layer_types: ["full_attention", "sliding_attention"] }, /Layer 0 of 2 is of full_attention/],
      [{ swiglu_limit: 1.5 }, /swiglu_limit is 1\.5/],
    ] as const) {
      await using folder = await temporaryFolder();
      await assert.rejects(convert(await blocksFolder(folder, changes), folder.at("model.gguf")), message);
    }
  });
});

/** Of every tensor as the file has it, without a view of blocks as one tensor. */
async function storedBytes(path: string): Promise<Map<string, string>> {
  await using files = await openModelFiles(path);
  await readModelFiles(files); // it is a whole model
  const stored = new Map<string, string>();
  const [{ source, headerBytes }] = files.weightFiles;
  const header = new Uint8Array(headerBytes);
  await source.read(0, header);
  const json = JSON.parse(new TextDecoder().decode(header.subarray(8))) as Record<string, { data_offsets: number[] }>;
  for (const [name, { data_offsets: offsets }] of Object.entries(json)) {
    if (name === "__metadata__") continue;
    const bytes = new Uint8Array(offsets[1] - offsets[0]);
    await source.read(headerBytes + offsets[0], bytes);
    stored.set(name, Buffer.from(bytes).toString("hex"));
  }
  return new Map([...stored].sort(([a], [b]) => (a < b ? -1 : 1)));
}
