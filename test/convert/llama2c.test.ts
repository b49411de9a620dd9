// llama2.c checkpoints: what becomes of them computes what run.c computes, and the built-in model is made anew.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { load } from "../../src/chat/load.ts";
import { convert } from "../../src/convert/index.ts";
import { storiesModel } from "../../src/store/built-in.ts";
import { sharedData } from "../shared-data.ts";
import { temporaryFolder } from "./folders.ts";
import { type Sizes, forward, randomCheckpoint, tokenizerFile } from "./llama2c.ts";

const SIZES = { width: 24, forwardWidth: 20, layers: 2, heads: 6, kvHeads: 3, vocabulary: 270, window: 32 };

describe("a llama2.c checkpoint as GGUF", () => {
  for (const tied of [true, false]) {
    test(`gives run.c's logits, with ${tied ? "the embedding as head" : "a head of its own"}`, async () => {
      await using folder = await temporaryFolder();
      const sizes: Sizes = { ...SIZES, tied };
      const checkpoint = randomCheckpoint(sizes);
      await writeFile(folder.at("tiny.bin"), checkpoint);
      await writeFile(folder.at("tokenizer.bin"), tokenizerFile(SIZES.vocabulary));
      await convert(folder.at("tiny.bin"), folder.at("tiny.gguf"));
      await using model = await load(folder.at("tiny.gguf"), { executor: "reference", kvType: "f32" });
      const ids = [1, 260, 5, 269, 77, 265, 3, 258, 262, 140];
      const found = await model.logits(ids);
      const expected = forward(checkpoint, sizes, ids).flat();
      const largest = Math.max(...expected.map(Math.abs));
      // the reference sums in f64 too; rope rows, keys and values are f32
      for (const [i, value] of expected.entries()) assert.ok(Math.abs(found[i] - value) < 1e-6 * largest, `logit ${i}`);
    });
  }

  test("becomes a folder too", async () => {
    await using folder = await temporaryFolder();
    const sizes: Sizes = { ...SIZES, tied: true };
    await writeFile(folder.at("tiny.bin"), randomCheckpoint(sizes));
    await writeFile(folder.at("tokens.bin"), tokenizerFile(SIZES.vocabulary));
    const report = await convert(folder.at("tiny.bin"), folder.at("hf"), { tokenizer: folder.at("tokens.bin") });
    assert.deepEqual([report.from, report.to, report.family], ["llama2c", "hf", "llama"]);
    assert.ok(report.checks.texts! > 10 && report.checks.logits.ids > 0);
  });

  test("asks for its tokenizer where none lies beside it, and refuses one of another size", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("tiny.bin"), randomCheckpoint({ ...SIZES, tied: true }));
    await assert.rejects(convert(folder.at("tiny.bin"), folder.at("x.gguf")), /neither tok270\.bin nor tokenizer\.bin/);
    await writeFile(folder.at("tokenizer.bin"), tokenizerFile(265));
    await assert.rejects(convert(folder.at("tiny.bin"), folder.at("x.gguf")), /pieces is 265, expected 270/);
  });

  const { path, skip } = sharedData("models/stories260K/stories260K.bin");
  test("the built-in model is stories260K, byte for byte", { skip }, async () => {
    await using folder = await temporaryFolder();
    // as models/README.md says
    const readme = await readFile(new URL("../../models/README.md", import.meta.url), "utf8");
    const settings = [...readme.matchAll(/--set (general\.[a-z.]+)=(?:"(.*?)"|(\S+))/g)];
    const metadata = Object.fromEntries(settings.map(([, key, quoted, plain]) => [key, quoted ?? plain]));
    await convert(path, folder.at("built-in.gguf"), { metadata });
    assert.deepEqual(await readFile(folder.at("built-in.gguf")), await readFile(storiesModel.path));
  });
});
