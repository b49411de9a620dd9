// Embeddings and ranks of a loaded model, from folders as sentence-transformers writes them, held against what transformers
// computed and against the heads' formulas.
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { uniform } from "../../src/base/random.ts";
import { openEncoder } from "../../src/engine/index.ts";
import { referenceExecutor } from "../../src/device/reference/executor.ts";
import { ContextLengthError, UnsupportedError, UsageError, load } from "../../src/index.ts";
import { convert } from "../../src/convert/index.ts";
import { openGguf } from "../../src/format/gguf-files.ts";
import { type CaseName, caseFiles, readGolden } from "../families/cases.ts";
import { batchRows } from "../families/encoders.ts";
import { assertClose, largestDifference } from "../families/golden.ts";
import { allTensors, hfFiles, openFiles } from "../families/memory-files.ts";

const golden = resolve(import.meta.dirname, "../golden/families");
const folder = await mkdtemp(join(tmpdir(), "liang-reading-"));
after(() => rm(folder, { recursive: true }));
let folders = 0;

/** A golden case's folder with other JSON files beside it; returns its path. */
async function folderOf(name: CaseName, files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const path = join(folder, String(folders++));
  await mkdir(path);
  for (const file of ["config.json", "model.safetensors"]) await copyFile(join(golden, name, file), join(path, file));
  for (const [file, value] of Object.entries(files)) {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), JSON.stringify(value));
  }
  return path;
}

const options = { executor: "reference", packCache: false } as const;
const modules = (...types: string[]) =>
  types.map((type, idx) => ({
    idx,
    name: String(idx),
    path: idx === 0 ? "" : `${idx}_${type}`,
    type: `st.models.${type}`,
  }));

describe("embeddings", () => {
  for (const [mode, expected] of Object.entries({
    pooling_mode_mean_tokens: "mean_pooled_normalised",
    pooling_mode_cls_token: "cls_normalised",
  })) {
    test(`are the golden ones by ${mode}, and shorter where fewer dimensions are asked for`, async () => {
      const { f32, ...rest } = await readGolden("bert-embed");
      const inputs = batchRows({ f32, ...rest }).map(({ ids }) => Array.from(ids));
      const pooling = { word_embedding_dimension: 48, pooling_mode_max_tokens: false, [mode]: true };
      const all = { "modules.json": modules("Transformer", "Pooling", "Normalize"), "1_Pooling/config.json": pooling };
      await using model = await load(await folderOf("bert-embed", all), options);
      const { vectors, tokens } = await model.embed(inputs);
      assertClose([...vectors[0], ...vectors[1]], f32[expected], 1e-6, expected);
      assert.equal(tokens, inputs[0].length + inputs[1].length);
      const [short] = (await model.embed(inputs, { dimensions: 5 })).vectors;
      const length = Math.hypot(...vectors[0].subarray(0, 5));
      assertClose(
        short,
        vectors[0].subarray(0, 5).map((value) => value / length),
        1e-6,
        "cut",
      );
      await assert.rejects(model.embed(inputs, { dimensions: 49 }), UsageError);
      await assert.rejects(model.embed(inputs, { prompt: "query" }), UsageError);
    });
  }

  test("of f32 weights are rounded where speed is asked for by name alone", async () => {
    const path = await folderOf("bert-embed");
    const { f32, ...rest } = await readGolden("bert-embed");
    const [{ ids }] = batchRows({ f32, ...rest });
    const differences = [];
    for (const precision of [undefined, "fast"] as const) {
      await using model = await load(path, { packCache: false, precision });
      const [vector] = (await model.embed([Array.from(ids)])).vectors;
      differences.push(largestDifference(vector, f32.mean_pooled_normalised.subarray(0, 48)));
    }
    assert.ok(differences[0] < 1e-6, `${differences[0]}`);
    assert.ok(differences[1] > 1e-6 && differences[1] < 0.01, `${differences[1]}`);
  });

  test("of what is too long are refused, and cut where that is asked for", async () => {
    const path = await folderOf("bert-embed", { "sentence_bert_config.json": { max_seq_length: 6 } });
    await using model = await load(path, options);
    assert.equal(model.info.window, 6);
    const ids = [1, 2, 3, 4, 5, 6, 7];
    await assert.rejects(model.embed([ids]), ContextLengthError);
    const [cut] = (await model.embed([ids], { truncate: true })).vectors;
    assert.deepEqual([cut], (await model.embed([ids.slice(0, 6)])).vectors);
  });

  test("of a pooling or a module that is not done are refused by name", async () => {
    const load1 = async (files: Record<string, unknown>) =>
      (await load(await folderOf("bert-embed", files), options)).close();
    const max = { "1_Pooling/config.json": { pooling_mode_max_tokens: true } };
    await assert.rejects(load1(max), /pooled by pooling_mode_max_tokens/);
    await assert.rejects(load1({ "modules.json": modules("Transformer", "Pooling", "Dense") }), /has a Dense/);
  });

  test("a model that writes embeds too, and an encoder says that it does not write", async () => {
    await using writer = await load("stories260k", { packCache: false });
    const { vectors } = await writer.embed(["Once upon a time", "Once upon a time", "A dog"]);
    assert.deepEqual(vectors[0], vectors[1]);
    assert.notDeepEqual(vectors[0], vectors[2]);
    await using encoder = await load(await folderOf("bert"), options);
    await assert.rejects(encoder.score([1, 2]), UnsupportedError);
    await assert.rejects(encoder.generate([1])[Symbol.asyncIterator]().next(), UnsupportedError);
    await assert.rejects(encoder.rerank("a", ["b"]), ({ message, hint }: UnsupportedError) => {
      assert.match(message, /is no reranker/);
      assert.match(hint!, /--similarity/);
      return true;
    });
  });

  test("are the same from the GGUF file that a folder is converted to, but for the head that it has no name for", async () => {
    for (const [name, mode, number] of [
      ["bert", "pooling_mode_mean_tokens", 1],
      ["bert-embed", "pooling_mode_cls_token", 2],
      ["xlm-roberta", "pooling_mode_lasttoken", 3],
    ] as const) {
      const from = await folderOf(name, {
        "modules.json": modules("Transformer", "Pooling", "Normalize"),
        "1_Pooling/config.json": { [mode]: true },
        "config_sentence_transformers.json": { prompts: { query: "Query: " } },
      });
      const report = await convert(from, `${from}.gguf`);
      assert.ok(report.notes.some((note) => /[Pp]rompts .* no place in GGUF: query/.test(note)));
      await using written = await openGguf(`${from}.gguf`);
      assert.equal(written.config["bert.pooling_type"], number);
      assert.equal(
        written.config["tokenizer.ggml.token_type_count"],
        written.tensors.get("token_types.weight")!.shape[0],
      );
      assert.equal(
        report.notes.some((note) => note.includes("has no name for it")),
        name !== "bert-embed",
      );
      await convert(`${from}.gguf`, `${from}-again`);
      const vectors = [];
      for (const path of [from, `${from}.gguf`, `${from}-again`]) {
        await using model = await load(path, options);
        vectors.push((await model.embed([[5, 6, 7, 300]])).vectors[0]);
      }
      // epsilon is f32 in GGUF
      assertClose(vectors[1], vectors[0], 1e-6, name);
      assertClose(vectors[2], vectors[0], 1e-6, name);
    }
  });
});

test("the head for scores reads the first row: a pooler's tanh, then the classes", async () => {
  const weights = Float32Array.from({ length: 48 }, (_, i) => uniform(3, 1, i) - 0.5);
  await using files = await caseFiles("bert-embed");
  const tensors = new Map(await allTensors(files))
    .set("classifier.weight", { shape: [1, 48], values: weights })
    .set("classifier.bias", { shape: [1], values: Float32Array.of(0.25) });
  const { model, store } = await openFiles(hfFiles(files.config, tensors));
  const sequences = [{ ids: [2, 9, 3, 8, 3], segments: [0, 0, 0, 1, 1], outputs: [0] }];
  await using scorer = await openEncoder(model, store, referenceExecutor, { give: "scores" });
  await using pooler = await openEncoder(model, store, referenceExecutor, { give: "pooled" });
  const [pooled] = await pooler.run(sequences);
  const expected = pooled.reduce((sum, value, i) => sum + value * weights[i], 0.25);
  assertClose((await scorer.run(sequences))[0], [expected], 1e-5, "score");
});
