// T5 from a folder to GGUF under llama.cpp's names, and back; what GGUF cannot say is refused by name.
import assert from "node:assert/strict";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { convert } from "../../src/convert/index.ts";
import { openGguf } from "../../src/format/gguf-files.ts";
import { type Folder, allBytes, readJson, temporaryFolder } from "./folders.ts";

const golden = resolve(import.meta.dirname, "../golden/families");

/** The golden case with other settings. */
async function caseFolder(folder: Folder, name: string, changes: Readonly<Record<string, unknown>> = {}) {
  const path = folder.at("hf");
  await mkdir(path);
  await cp(resolve(golden, name, "model.safetensors"), resolve(path, "model.safetensors"));
  const config = JSON.parse(await readFile(resolve(golden, name, "config.json"), "utf8")) as Record<string, unknown>;
  await writeFile(resolve(path, "config.json"), JSON.stringify({ ...config, ...changes }));
  return path;
}

describe("an encoder-decoder as GGUF", () => {
  for (const name of ["t5", "t5-relu"]) {
    test(`${name} goes there and comes back with every bit, and gives the same logits`, async () => {
      await using folder = await temporaryFolder();
      const hf = await caseFolder(folder, name, { relative_attention_max_distance: 128 });
      const report = await convert(hf, folder.at("model.gguf"));
      assert.ok(report.checks.logits.ids > 0);
      await using gguf = await openGguf(folder.at("model.gguf"));
      const given = await readJson(`${hf}/config.json`);
      const settings = {
        "general.architecture": "t5",
        "t5.block_count": given.num_layers,
        "t5.decoder_block_count": given.num_decoder_layers,
        "t5.attention.head_count": given.num_heads,
        "t5.attention.key_length": given.d_kv,
        "t5.attention.relative_buckets_count": given.relative_attention_num_buckets,
        "t5.decoder_start_token_id": given.decoder_start_token_id,
      };
      for (const [key, value] of Object.entries(settings)) assert.deepEqual(gguf.config[key], value, key);
      const names = ["enc.blk.1.attn_q", "enc.blk.0.attn_rel_b", "dec.blk.1.cross_attn_o", "dec.blk.0.cross_attn_norm"];
      for (const tensor of [...names, "enc.output_norm", "dec.output_norm", "dec.blk.1.ffn_up"]) {
        assert.ok(gguf.tensors.has(`${tensor}.weight`), tensor);
      }
      await convert(folder.at("model.gguf"), folder.at("again"));
      assert.deepEqual(await allBytes(folder.at("again")), await allBytes(hf));
      const written = await readJson(folder.at("again/config.json"));
      const sizes = ["d_model", "d_ff", "d_kv", "num_layers", "num_decoder_layers", "num_heads", "feed_forward_proj"];
      for (const key of [...sizes, "tie_word_embeddings", "layer_norm_epsilon", "decoder_start_token_id"]) {
        assert.deepEqual(written[key], given[key], key);
      }
    });
  }

  test("mT5 goes there under T5's name, with the head of its own that its configs need not tell; a tied one is refused", async () => {
    await using folder = await temporaryFolder();
    const { feed_forward_proj: _, tie_word_embeddings: __, ...untold } = await readJson(`${golden}/t5/config.json`);
    const hf = await caseFolder(folder, "t5", {});
    const config = { ...untold, model_type: "mt5", relative_attention_max_distance: 128 };
    await writeFile(resolve(hf, "config.json"), JSON.stringify(config));
    assert.equal((await convert(hf, folder.at("model.gguf"))).family, "mt5");
    assert.equal((await convert(folder.at("model.gguf"), folder.at("again"))).family, "t5");
    assert.deepEqual(await allBytes(folder.at("again")), await allBytes(hf));
    await writeFile(resolve(hf, "config.json"), JSON.stringify({ ...config, tie_word_embeddings: true }));
    await assert.rejects(convert(hf, folder.at("tied.gguf")), /tie_word_embeddings is true; Liang can do false/);
  });

  test("another largest distance has no word there", async () => {
    await using folder = await temporaryFolder();
    const hf = await caseFolder(folder, "t5");
    await assert.rejects(convert(hf, folder.at("model.gguf")), /relative_attention_max_distance is 20/);
  });

  test("marian has no GGUF", async () => {
    await using folder = await temporaryFolder();
    const hf = await caseFolder(folder, "marian");
    await assert.rejects(convert(hf, folder.at("model.gguf")), /GGUF has no architecture for Marian's translators/);
  });
});
