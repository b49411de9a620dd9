// `liang embed --image` and `liang classify` on tiny models: what transformers computed, printed.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertClose } from "../families/golden.ts";
import { golden, imageFolder, shown } from "../image-folders.ts";
import { liangIn } from "./harness.ts";

const home = await mkdtemp(join(tmpdir(), "liang-cli-images-"));
after(() => rm(home, { recursive: true }));
const liang = liangIn(home);
const [first, second] = ["first.png", "second.jpg"].map((name) => join(home, name));

before(async () => {
  await writeFile(first, shown[0]);
  await writeFile(second, shown[1]);
});

test("embed gives vectors of texts and of pictures, which it counts", async () => {
  const model = await imageFolder("clip", join(home, "clip"));
  const { text } = golden.texts[1];
  const { code, stdout, stderr } = await liang.run(["embed", model, text, "--image", first, "--image", second]);
  assert.equal(code, 0, stderr);
  const vectors = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as number[]);
  const expected = [golden.texts[1], ...golden.images];
  assert.equal(vectors.length, expected.length);
  for (const [i, { embedding }] of expected.entries()) assertClose(vectors[i], embedding, 1e-5, `line ${i}`);
  assert.match(stderr, /1 texts, 2 pictures, \d+ tokens/);
});

test("classify tells a model's own classes or given labels, and what is missing", async () => {
  const vit = await imageFolder("vit", join(home, "vit"));
  const own = await liang.run(["classify", vit, first, second, "--top", "2"]);
  const best = [0, 1].map((i) => {
    const shares = golden.classes.probabilities.slice(7 * i, 7 * i + 7).map((share, label) => ({ share, label }));
    return shares.sort((a, b) => b.share - a.share).slice(0, 2);
  });
  const lines = (of: (typeof best)[0]): string =>
    of.map(({ share, label }) => `${share.toFixed(4)}  LABEL_${label}`).join("\n");
  assert.equal(own.stdout, `${first}\n${lines(best[0])}\n\n${second}\n${lines(best[1])}\n`, own.stderr);
  const clip = await imageFolder("clip", join(home, "clip"));
  const { labels, probabilities } = golden.zeroShot;
  const given = await liang.run(["classify", clip, first, "--labels", labels.join(", "), "--json"]);
  const [{ image, results }] = JSON.parse(given.stdout) as [
    { image: string; results: { label: string; probability: number }[] },
  ];
  assert.equal(image, first);
  for (const { label, probability } of results)
    assertClose([probability], [probabilities[labels.indexOf(label)]], 1e-5, label);
  const none = await liang.run(["classify", clip, first]);
  assert.deepEqual([none.code, none.stdout], [2, ""]);
  assert.match(none.stderr, /There are no labels/);
});
