import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { NotFoundError } from "../base/errors.ts";
import { listWithAdapters, listWithFile } from "./list-with-file.ts";
import { openModelList } from "./models.ts";

const home = await mkdtemp(join(tmpdir(), "liang-with-file-"));
after(() => rm(home, { recursive: true }));

test("a file that is not on the list has a name of its own, its size, and is found by its path too", async () => {
  const path = join(home, "My model-Q8_0.gguf");
  await writeFile(path, new Uint8Array(42));
  const models = await listWithFile(openModelList(home), path);
  assert.equal(models.name, "My-model-Q8_0");
  assert.deepEqual(
    (await models.list()).map(({ name, bytes }) => [name, bytes]),
    [["My-model-Q8_0", 42]],
  );
  assert.equal((await models.find("My-model-Q8_0")).path, path);
  assert.equal((await models.find(path)).name, "My-model-Q8_0");
  assert.equal((await models.find(relative(process.cwd(), path))).name, "My-model-Q8_0");
  await assert.rejects(models.find("other"), NotFoundError);
  await rm(path);
  assert.equal((await models.find(path)).bytes, null, "gone since");
});

test("a model of the list keeps its name, the file gets a number", async () => {
  const list = openModelList(home);
  await writeFile(join(home, "a.gguf"), new Uint8Array(1));
  await list.add(join(home, "a.gguf"));
  const path = join(home, "elsewhere", "A.gguf");
  await mkdir(join(home, "elsewhere"));
  await writeFile(path, new Uint8Array(2));
  const models = await listWithFile(list, path);
  assert.equal(models.name, "A-2");
  assert.deepEqual([(await models.find("a")).bytes, (await models.find("A-2")).bytes], [1, 2]);
  await assert.rejects(models.find("x"), /no model called "x"\. There are: A-2, a\.$/, "the same names as the list");
});

test("adapters that are not on the list stand after their model, each with a name of its own", async () => {
  const folder = join(home, "adapters");
  await mkdir(folder);
  const list = openModelList(folder);
  const base = join(home, "base.gguf");
  const paths = ["poet", "elsewhere/poet"].map((name) => join(home, "lora", name));
  for (const path of paths) await mkdir(path, { recursive: true });
  await writeFile(base, new Uint8Array(3));
  await list.add(base);
  await list.add(base, { name: "zebra" });
  const models = await listWithAdapters(list, "base", paths);
  assert.deepEqual(
    (await models.list()).map(({ name, base }) => [name, base]),
    [
      ["base", undefined],
      ["base@poet", "base"],
      ["base@poet-2", "base"],
      ["zebra", undefined],
    ],
  );
  assert.equal((await models.find("base@poet-2")).path, paths[1]);
  await assert.rejects(listWithAdapters(list, "base", [join(home, "nowhere")]), NotFoundError);
});
