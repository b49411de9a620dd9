// Pictures through the narrow door, held against what transformers computed of the same files: vectors of texts and pictures in
// one space, labels, a model's own classes; and what is missing is named.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { NotFoundError, UnsupportedError, UsageError, load } from "../../src/index.ts";
import { assertClose } from "../families/golden.ts";
import { bytesOf, golden, imageFolder, pictures, shown } from "../image-folders.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-images-"));
after(() => rm(folder, { recursive: true }));

const options = { executor: "reference", packCache: false } as const;

describe("clip", () => {
  test("puts texts and pictures into one space, in the order in which they come", async () => {
    await using model = await load(await imageFolder("clip", join(folder, "clip")), options);
    const texts = golden.texts.map(({ text }) => text);
    for (const { text, ids } of golden.texts) assert.deepEqual(model.tokenize(text), ids.slice(1, -1), text);
    const inputs = [{ image: shown[0] }, ...texts, { image: shown[1] }];
    const { vectors, tokens } = await model.embed(inputs);
    const expected = [golden.images[0], ...golden.texts, golden.images[1]];
    for (const [i, { embedding }] of expected.entries()) assertClose(vectors[i], embedding, 2e-6, `input ${i}`);
    assert.equal(tokens, golden.texts.reduce((sum, { ids }) => sum + ids.length, 0) + 2 * 10);
    const [byIds] = (await model.embed([[...golden.texts[0].ids, 319, 319]])).vectors; // padded, as transformers pads
    assert.deepEqual(byIds, vectors[1]);
    await assert.rejects(model.embed([[318, 5]]), /no id 319/);
  });

  test("tells labels of pictures apart, the best first, on the machine's own tier as on the reference", async () => {
    const { labels, scores, probabilities } = golden.zeroShot;
    for (const executor of ["reference", "cpu"] as const) {
      await using model = await load(await imageFolder("clip", join(folder, "clip")), { ...options, executor });
      const found = await model.classify(shown, { labels });
      for (const [i, { results }] of found.entries()) {
        const own = labels.map((label, j) => ({
          label,
          score: scores[3 * i + j],
          probability: probabilities[3 * i + j],
        }));
        own.sort((a, b) => b.score - a.score);
        assert.deepEqual(
          results.map(({ label }) => label),
          own.map(({ label }) => label),
        );
        for (const part of ["score", "probability"] as const) {
          assertClose(
            results.map((one) => one[part]),
            own.map((one) => one[part]),
            1e-5,
            part,
          );
        }
      }
      const [{ results }] = await model.classify(shown, { labels, top: 1 });
      assert.equal(results.length, 1);
      await assert.rejects(
        model.classify(shown),
        (error: unknown) => error instanceof UsageError && error.field === "labels",
      );
      await assert.rejects(model.classify(shown, { labels, prompt: "a photo" }), /\{\} where a label goes/);
    }
  });

  test("takes decoded pixels too, and names what is missing or wrong", async () => {
    await using model = await load(await imageFolder("clip", join(folder, "clip")), options);
    const { width, height, rgb } = pictures[0];
    const { vectors } = await model.embed([{ image: { width, height, rgb: bytesOf(rgb) } }]);
    assertClose(vectors[0], golden.images[0].embedding, 2e-6, "pixels");
    await assert.rejects(
      model.embed([{ image: { width, height, rgb: new Uint8Array(5) } }]),
      /image 1 has 17 x 11 pixels and 5 bytes/,
    );
    await assert.rejects(model.embed(["cat", { image: new Uint8Array(9) }]), /image 2: the start/);
    await assert.rejects(model.generate("cat")[Symbol.asyncIterator]().next(), /writes no text/);
    await using bare = await load(
      await imageFolder("clip", join(folder, "bare"), ["preprocessor_config.json"]),
      options,
    );
    await assert.rejects(bare.embed([{ image: shown[0] }]), (error: unknown) => {
      assert.ok(error instanceof NotFoundError);
      assert.match(error.message, /no preprocessor_config\.json in .*bare/);
      return true;
    });
  });
});

describe("vit", () => {
  test("tells its classes apart and embeds pictures, but no texts", async () => {
    await using model = await load(await imageFolder("vit", join(folder, "vit")), options);
    const found = await model.classify(shown, { top: 7 });
    const { scores, probabilities } = golden.classes;
    for (const [i, { results }] of found.entries()) {
      assert.equal(results.length, 7);
      for (const { label, score, probability } of results) {
        const at = 7 * i + Number(/^LABEL_(\d)$/.exec(label)![1]);
        assertClose([score, probability], [scores[at], probabilities[at]], 1e-5, label);
      }
      assert.ok(results.every(({ score }, j) => j === 0 || score <= results[j - 1].score));
    }
    const { vectors, tokens } = await model.embed([{ image: shown[0] }]);
    assert.deepEqual([vectors[0].length, tokens], [32, 10]);
    await assert.rejects(
      model.embed(["cat"]),
      (error: unknown) => error instanceof UnsupportedError && /reads images and no texts/.test(error.message),
    );
    await assert.rejects(model.classify(shown, { labels: ["cat"] }), /its own classes/);
  });

  test("a model that reads texts says that it reads no images", async () => {
    await using model = await load("stories260k", { packCache: false });
    await assert.rejects(model.embed([{ image: shown[0] }]), /\(llama\) reads texts and no images/);
    await assert.rejects(model.classify(shown, { labels: ["cat"] }), /\(llama\) tells no classes of images/);
  });
});
