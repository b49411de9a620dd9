// What a conversion promises besides its result: it replaces nothing unasked, refuses what would be lost, compares what
// it wrote, and leaves nothing behind when it fails.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { UnsupportedError, UsageError } from "../../src/base/errors.ts";
import type { Progress } from "../../src/base/progress.ts";
import { checkWritten } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/index.ts";
import { openSource } from "../../src/convert/source.ts";
import { openGguf } from "../../src/format/gguf-files.ts";
import { formats } from "../../src/numeric/registry.ts";
import { writeGguf } from "../../src/format/gguf-writer.ts";
import { storiesModel } from "../../src/store/built-in.ts";
import { type Folder, allBytes, readJson, temporaryFolder, writeCase } from "./folders.ts";

async function llamaFolder(folder: Folder): Promise<string> {
  await mkdir(folder.at("hf"));
  await writeCase(folder.at("hf"), "llama-3");
  return folder.at("hf");
}

const changeConfig = async (path: string, changes: Record<string, unknown>): Promise<void> =>
  writeFile(join(path, "config.json"), JSON.stringify({ ...(await readJson(join(path, "config.json"))), ...changes }));

describe("convert", () => {
  test("replaces a file only when it may, and never a folder by a file", async () => {
    await using folder = await temporaryFolder();
    const hf = await llamaFolder(folder);
    await writeFile(folder.at("model.gguf"), "mine");
    await assert.rejects(convert(hf, folder.at("model.gguf")), /is there already\. --force/);
    assert.equal(await readFile(folder.at("model.gguf"), "utf8"), "mine");
    await convert(hf, folder.at("model.gguf"), { force: true });
    await assert.rejects(convert(folder.at("model.gguf"), hf), /is there already/);
    await mkdir(folder.at("folder.gguf"));
    await assert.rejects(convert(hf, folder.at("folder.gguf"), { force: true }), /is a folder/);
    await convert(folder.at("model.gguf"), hf, { force: true });
    assert.deepEqual(await readdir(folder.path), ["folder.gguf", "hf", "model.gguf"]);
  });

  test("refuses two of a kind, and says what makes a GGUF file", async () => {
    await using folder = await temporaryFolder();
    const hf = await llamaFolder(folder);
    await assert.rejects(convert(hf, folder.at("other")), /both Hugging Face folders\. A target that ends in \.gguf/);
    await assert.rejects(convert(storiesModel.path, folder.at("other.gguf")), UsageError);
  });

  test("writes matrices in the type asked for, compares the rounded values, and reports progress", async () => {
    await using folder = await temporaryFolder();
    const reports: Progress[] = [];
    const report = await convert(await llamaFolder(folder), folder.at("model.gguf"), {
      type: "f16",
      onProgress: (progress) => reports.push(progress),
    });
    const types = new Set([...(await allBytes(folder.at("model.gguf"))).values()].map(({ type }) => type));
    assert.deepEqual([...types].sort(), ["f16", "f32"]);
    assert.equal(report.checks.weights, report.parameters);
    for (const label of ["convert", "check"]) {
      const last = reports.findLast((progress) => progress.label === label)!;
      assert.ok(last.done === last.total && last.done > 0, label);
    }
  });

  test("decodes packed weights only when told to what", async () => {
    await using folder = await temporaryFolder();
    const path = folder.at("packed.gguf");
    await packed(path);
    await assert.rejects(convert(path, folder.at("hf")), /stored as q8_0, which no folder holds\. .*--type/);
    const report = await convert(path, folder.at("hf"), { type: "bf16" });
    assert.ok(report.checks.texts! > 10);
    assert.equal((await readJson(folder.at("hf/config.json"))).torch_dtype, "bfloat16");
  });

  test("refuses numbers beyond the type instead of writing infinity", async () => {
    await using folder = await temporaryFolder();
    const hf = await llamaFolder(folder);
    const path = join(hf, "model.safetensors");
    const bytes = await readFile(path);
    bytes.writeFloatLE(70_000, 8 + Number(bytes.readBigUInt64LE(0))); // the embedding's first value
    await writeFile(path, bytes);
    await assert.rejects(convert(hf, folder.at("model.gguf"), { type: "f16" }), /holds 70000, which is beyond f16/);
    assert.deepEqual(await readdir(folder.path), ["hf"]);
    await convert(hf, folder.at("model.gguf"), { type: "bf16" });
  });

  test("finds a single changed bit in what was written, and names the weight", async () => {
    await using folder = await temporaryFolder();
    const hf = await llamaFolder(folder);
    await convert(hf, folder.at("model.gguf"));
    const bytes = await readFile(folder.at("model.gguf"));
    bytes[bytes.length - 64] ^= 1;
    await writeFile(folder.at("model.gguf"), bytes);
    await using source = await openSource(hf, {});
    await assert.rejects(
      checkWritten(source, undefined, folder.at("model.gguf"), {}),
      /model\.gguf: [a-zA-Z0-9.]+\[\d+\] is /,
    );
  });

  const hidden = {
    "another rope": { rope_theta: 400_000 },
    "another epsilon": { rms_norm_eps: 1e-3 },
    "another window": { max_position_embeddings: 100 },
  };
  for (const [what, changes] of Object.entries(hidden)) {
    test(`finds ${what} in what was written`, async () => {
      await using folder = await temporaryFolder();
      const hf = await llamaFolder(folder);
      await writeCase(hf, "llama-3", "config.legacy.json");
      await convert(hf, folder.at("model.gguf"));
      await changeConfig(hf, changes);
      await using source = await openSource(hf, {});
      await assert.rejects(checkWritten(source, undefined, folder.at("model.gguf"), {}), /expected/);
    });
  }

  test("says why a family has no GGUF file", async () => {
    await using folder = await temporaryFolder();
    await writeCase(folder.path, "openai-gpt");
    await assert.rejects(convert(folder.path, folder.at("model.gguf")), /GGUF has no architecture for GPT-1/);
  });

  const refusals: readonly (readonly [Parameters<typeof writeCase>[1], Record<string, unknown>, RegExp])[] = [
    ["qwen3", { use_sliding_window: true, sliding_window: 4, max_window_layers: 1 }, /use_sliding_window is true/],
    ["gpt2", { scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx is true/],
    ["gemma3_text", { query_pre_attn_scalar: 17 }, /query_pre_attn_scalar is 17; GGUF has no word for it/],
    [
      "gemma3_text",
      { layer_types: Array.from({ length: 7 }, (_, i) => (i < 2 ? "full_attention" : "sliding_attention")) },
      /follows no pattern/,
    ],
  ];
  for (const [name, changes, message] of refusals) {
    test(`refuses ${name} with ${Object.keys(changes)[0]}, which GGUF cannot say`, async () => {
      await using folder = await temporaryFolder();
      await writeCase(folder.path, name);
      await changeConfig(folder.path, changes);
      const isRefusal = (error: unknown): boolean => error instanceof UnsupportedError && message.test(error.message);
      await assert.rejects(convert(folder.path, folder.at("model.gguf")), isRefusal);
      assert.ok(!(await readdir(folder.path)).some((file) => file.includes("gguf")));
    });
  }

  test("leaves nothing behind after an abort", async () => {
    await using folder = await temporaryFolder();
    const hf = await llamaFolder(folder);
    const abort = new AbortController();
    const onProgress = ({ done }: Progress): void => (done > 20_000 ? abort.abort() : undefined);
    const { signal } = abort;
    await assert.rejects(convert(hf, folder.at("model.gguf"), { onProgress, signal }), { name: "AbortError" });
    assert.deepEqual(await readdir(folder.path), ["hf"]);
  });

  test("sets texts under general., and nothing that the file means something by", async () => {
    await using folder = await temporaryFolder();
    const hf = await llamaFolder(folder);
    await convert(hf, folder.at("model.gguf"), { metadata: { "general.license": "mit" } });
    await using files = await openGguf(folder.at("model.gguf"));
    assert.equal(files.config["general.license"], "mit");
    assert.equal(files.config["general.name"], "hf");
    for (const key of ["general.architecture", "llama.block_count"]) {
      await assert.rejects(convert(hf, folder.at("x.gguf"), { metadata: { [key]: "x" } }), /cannot be set/);
    }
  });

  test("liang convert --json prints one document; without it, what was compared", async () => {
    await using folder = await temporaryFolder();
    const hf = await llamaFolder(folder);
    const liang = (...args: string[]): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, ["src/cli/main.ts", "convert", ...args], {
        cwd: join(import.meta.dirname, "../.."),
      });
    const { stdout } = await liang(hf, folder.at("a.gguf"), "--json");
    const report = JSON.parse(stdout) as { family: string; checks: { weights: number } };
    assert.equal(report.family, "llama");
    assert.ok(report.checks.weights > 0);
    assert.match((await liang(hf, folder.at("b.gguf"))).stdout, /weights +\d+ equal bit for bit/);
  });
});

/** The built-in model with its widest matrices packed as q8_0. */
async function packed(path: string): Promise<void> {
  await using files = await openGguf(storiesModel.path);
  const tensors = await Promise.all(
    [...files.tensors.values()].map(async ({ name, shape, byteLength }) => {
      const bytes = new Uint8Array(byteLength!);
      await files.read(name, 0, bytes);
      const isPacked = name.endsWith("ffn_gate.weight");
      const data = (): Uint8Array[] => [isPacked ? q8(formats.f32.decode(bytes, byteLength! / 4)) : bytes];
      return { name, shape, format: isPacked ? ("q8_0" as const) : ("f32" as const), data };
    }),
  );
  const pieces: Uint8Array[] = [];
  await writeGguf({ append: async (piece) => void pieces.push(piece.slice()) }, { entries: files.entries, tensors });
  await writeFile(path, Buffer.concat(pieces));
}

/** Blocks of 32: an f16 scale, then signed bytes. */
function q8(values: Float32Array): Uint8Array {
  const bytes = Buffer.alloc((values.length / 32) * 34);
  for (let block = 0; block < values.length / 32; block++) {
    const part = values.subarray(block * 32, block * 32 + 32);
    const scale = 2 ** -6; // 0x2400 as f16
    bytes.writeUInt16LE(0x2400, block * 34);
    for (const [i, value] of part.entries()) {
      bytes.writeInt8(Math.max(-127, Math.min(127, Math.round(value / scale))), block * 34 + 2 + i);
    }
  }
  return bytes;
}
