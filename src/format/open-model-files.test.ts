// Opening models by what is there: GGUF files, split ones, folders with one file or shards, and all that is wrong.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { FormatError, NotFoundError, UnsupportedError, UsageError } from "../base/errors.ts";
import { createFileWriter, listFolder, makeFolder, makeTemporaryFolder, remove } from "#platform";
import { partName } from "./gguf-files.ts";
import type { GgufEntry } from "./gguf-types.ts";
import { type TensorToWrite, writeGguf } from "./gguf-writer.ts";
import { openModelFiles } from "./open-model-files.ts";
import { type SafetensorToWrite, writeSafetensors } from "./safetensors.ts";

let root = "";
let folder = "";
let cases = 0;
before(async () => {
  root = await makeTemporaryFolder();
});
beforeEach(async () => {
  folder = join(root, String(cases++));
  await makeFolder(folder);
});
after(() => remove(root));

const entries = (more: readonly [string, GgufEntry][] = []) =>
  new Map<string, GgufEntry>([["general.architecture", { type: "string", value: "llama" }], ...more]);

const ggufTensor = (name: string, fill: number): TensorToWrite => ({
  name,
  shape: [2, 4],
  format: "f32",
  data: () => [new Uint8Array(32).fill(fill)],
});

async function putGguf(name: string, tensors: TensorToWrite[], more: readonly [string, GgufEntry][] = []) {
  const path = join(folder, name);
  await using writer = await createFileWriter(path);
  await writeGguf(writer, { entries: entries(more), tensors });
  await writer.finish();
  return path;
}

const shardTensor = (name: string, fill: number, dtype: SafetensorToWrite["dtype"] = "F32"): SafetensorToWrite => ({
  name,
  dtype,
  shape: [4],
  data: () => [new Uint8Array(dtype === "I64" ? 32 : 16).fill(fill)],
});

async function putSafetensors(name: string, tensors: SafetensorToWrite[]) {
  await using writer = await createFileWriter(join(folder, name));
  await writeSafetensors(writer, tensors);
  await writer.finish();
}

const putJson = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));

/** The value of every byte of a tensor made above. */
async function fillOf(path: string, tensor: string): Promise<number> {
  await using files = await openModelFiles(path);
  const into = new Uint8Array(3);
  await files.read(tensor, 5, into);
  assert.ok(into.every((byte) => byte === into[0]));
  return into[0];
}

async function putParts(change: (part: number, more: Map<string, GgufEntry>) => void = () => {}) {
  const paths: string[] = [];
  for (let i = 0; i < 3; i++) {
    const more = new Map<string, GgufEntry>([
      ["split.no", { type: "u16", value: i }],
      ["split.count", { type: "u16", value: 3 }],
      ["split.tensors.count", { type: "i32", value: 3 }],
    ]);
    change(i, more);
    paths.push(await putGguf(partName("big", i, 3), [ggufTensor(`t${i}`, i + 1)], [...more]));
  }
  return paths;
}

/** How many files this process has open. */
const openFiles = async () => (process.platform === "linux" ? (await listFolder("/proc/self/fd")).length : 0);

describe("a GGUF model", () => {
  test("opens by its magic, whatever its name", async () => {
    const path = await putGguf("model.bin", [ggufTensor("a", 1), ggufTensor("b", 2)]);
    await using files = await openModelFiles(path);
    assert.equal(files.kind, "gguf");
    assert.equal(files.config["general.architecture"], "llama");
    assert.deepEqual([...files.tensors.keys()], ["a", "b"]);
    const { shape, format, typeName, byteLength } = files.tensors.get("b")!;
    assert.deepEqual(
      { shape, format, typeName, byteLength },
      { shape: [2, 4], format: "f32", typeName: "f32", byteLength: 32 },
    );
    assert.equal(await fillOf(path, "b"), 2);
    assert.equal(files.weightFiles[0].path, path);
  });

  test("reads no byte beyond a tensor, and no tensor that is not there", async () => {
    await using files = await openModelFiles(await putGguf("m.gguf", [ggufTensor("a", 1), ggufTensor("b", 2)]));
    await assert.rejects(files.read("a", 30, new Uint8Array(3)), /tensor a: byte range is "30..33"/);
    await assert.rejects(files.read("c", 0, new Uint8Array(1)), NotFoundError);
  });

  test("in parts opens as one, whichever part is named", async () => {
    const paths = await putParts();
    for (const path of [...paths, folder]) {
      for (let i = 0; i < 3; i++) assert.equal(await fillOf(path, `t${i}`), i + 1);
    }
  });

  test("in parts says which one is missing, misnumbered or of another model", async () => {
    const paths = await putParts();
    await remove(paths[1]);
    await assert.rejects(openModelFiles(paths[0]), /Part 2 of 3 is not there/);
    const swapped = await putParts((part, more) => more.set("split.no", { type: "u16", value: 2 - part }));
    await assert.rejects(openModelFiles(swapped[0]), /split.no is 2, expected 0/);
    const fewer = await putParts((_, more) => more.set("split.tensors.count", { type: "i32", value: 4 }));
    await assert.rejects(openModelFiles(fewer[0]), /split.tensors.count is 4, expected 3/);
    const alone = await putGguf("renamed.gguf", [ggufTensor("a", 1)], [["split.count", { type: "u16", value: 3 }]]);
    await assert.rejects(openModelFiles(alone), /split.count is 3, expected 1.*found by their names/);
  });

  test("closes its files when a part is broken", async () => {
    const paths = await putParts();
    await writeFile(paths[2], "GGUF but no more");
    const before = await openFiles();
    await assert.rejects(openModelFiles(paths[0]), FormatError);
    assert.equal(await openFiles(), before);
  });
});

describe("a model folder", () => {
  test("opens with one safetensors file; integers are listed, and refused as weights by name", async () => {
    await putJson("config.json", { model_type: "bert" });
    await putSafetensors("model.safetensors", [shardTensor("w", 7), shardTensor("position_ids", 0, "I64")]);
    await using files = await openModelFiles(folder);
    assert.deepEqual([files.kind, files.config.model_type], ["hf", "bert"]);
    assert.equal(files.tensors.get("w")?.format, "f32");
    const ids = files.tensors.get("position_ids")!;
    assert.equal(ids.typeName, "i64");
    assert.throws(
      () => ids.format,
      (error) => error instanceof UnsupportedError && /position_ids is stored as i64/.test(error.message),
    );
    assert.equal(await fillOf(join(folder, "model.safetensors"), "w"), 7);
  });

  test("opens shards by their index", async () => {
    await putJson("config.json", {});
    await putSafetensors("model-00001-of-00002.safetensors", [shardTensor("a", 1)]);
    await putSafetensors("model-00002-of-00002.safetensors", [shardTensor("b", 2)]);
    const weightMap = { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" };
    await putJson("model.safetensors.index.json", { metadata: {}, weight_map: weightMap });
    assert.equal(await fillOf(folder, "a"), 1);
    assert.equal(await fillOf(folder, "b"), 2);
    await putJson("model.safetensors.index.json", { weight_map: { ...weightMap, c: weightMap.b } });
    await assert.rejects(openModelFiles(folder), /tensor c is "missing", expected in this file/);
    await putSafetensors("model-00002-of-00002.safetensors", [shardTensor("b", 2), shardTensor("a", 3)]);
    await putJson("model.safetensors.index.json", { weight_map: weightMap });
    await assert.rejects(openModelFiles(folder), /tensor name is "a", expected a name that no other part has/);
  });

  test("never follows an index out of the folder", async () => {
    await putJson("config.json", {});
    for (const shard of ["../model.safetensors", "/etc/passwd", "a/b.safetensors", "..\\x.safetensors", 5, null]) {
      await putJson("model.safetensors.index.json", { weight_map: { a: shard } });
      await assert.rejects(openModelFiles(folder), /weight_map a is .* the name of a .safetensors file in this folder/);
    }
    await putJson("model.safetensors.index.json", { weight_map: {} });
    await assert.rejects(openModelFiles(folder), /weight_map is "empty"/);
  });

  test("gives its text files as plain objects, undefined where there is none", async () => {
    await putJson("config.json", {});
    await putSafetensors("model.safetensors", [shardTensor("w", 1)]);
    await using files = await openModelFiles(folder);
    assert.equal(files.kind, "hf");
    const none = await files.readTextFiles();
    assert.ok(Object.values(none).every((value) => value === undefined));
    await putJson("generation_config.json", { temperature: 0.7 });
    await putJson("tokenizer.json", { version: "1.0" });
    await putJson("tokenizer_config.json", { bos_token: "<s>" });
    await putJson("special_tokens_map.json", { eos_token: "</s>" });
    await writeFile(join(folder, "chat_template.jinja"), "{{ 量 }}");
    assert.deepEqual(await files.readTextFiles(), {
      generationConfig: { temperature: 0.7 },
      tokenizer: { version: "1.0" },
      tokenizerConfig: { bos_token: "<s>" },
      specialTokensMap: { eos_token: "</s>" },
      sentencePiece: undefined,
      chatTemplate: "{{ 量 }}",
    });
    await writeFile(join(folder, "tokenizer.model"), "no protocol buffer");
    await assert.rejects(files.readTextFiles(), FormatError);
  });

  test("says what is missing, pickled, broken or ambiguous", async () => {
    await assert.rejects(openModelFiles(join(folder, "absent")), NotFoundError);
    await assert.rejects(openModelFiles(folder), /no model in .* no config.json and no .gguf file/);
    await writeFile(join(folder, "notes.txt"), "hello");
    const notes = /notes.txt: the start is "68 65 6c 6c 6f", expected a GGUF file/;
    await assert.rejects(openModelFiles(join(folder, "notes.txt")), notes);
    await writeFile(join(folder, "page.gguf"), "<!DOCTYPE html><title>Log in</title>");
    await assert.rejects(
      openModelFiles(join(folder, "page.gguf")),
      /"3c 21 44 .* \(HTML, a page in place of the file\)"/,
    );
    await writeFile(join(folder, "page.gguf"), "");
    await assert.rejects(openModelFiles(join(folder, "page.gguf")), /the file is empty/);
    await remove(join(folder, "page.gguf"));
    await putGguf("a.gguf", []);
    await putGguf("b.gguf", []);
    await assert.rejects(
      openModelFiles(folder),
      (error) => error instanceof UsageError && /2 models: a.gguf, b.gguf/.test(error.message),
    );
    await putJson("config.json", { model_type: "llama" });
    await assert.rejects(openModelFiles(folder), /There are no weights/);
    await writeFile(join(folder, "pytorch_model.bin"), "pickle");
    await assert.rejects(openModelFiles(folder), UnsupportedError);
    await writeFile(join(folder, "config.json"), '{"model_type": ');
    await assert.rejects(openModelFiles(folder), /config.json: text is .* expected JSON in UTF-8/);
  });
});
