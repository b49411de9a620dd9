import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openModelList } from "./models.ts";
import { withCheckpoints } from "./run-checkpoints.ts";
import { runsFolder } from "./runs.ts";

const home = await mkdtemp(join(tmpdir(), "liang-home-"));
after(() => rm(home, { recursive: true }));
const root = runsFolder(home);
const models = withCheckpoints(openModelList(home), root);

async function save(run: string, folder: string): Promise<string> {
  const path = join(root, run, "checkpoints", folder);
  await mkdir(join(path, "train"), { recursive: true });
  await writeFile(join(path, "config.json"), "{}");
  return path;
}

test("checkpoints are models, the newest first, and go when their run removes them", async () => {
  assert.deepEqual(await models.list(), []);
  const old = await save("a", "step-0000002");
  await save("a", "step-0000010");
  await save("a", "step-0000012.part"); // is still being written
  await save("b b", "step-0000001"); // no run's name
  await rm(join(await save("adapter", "step-0000003"), "config.json"));
  const names = async (): Promise<string[]> => (await models.list()).map(({ name }) => name);
  assert.deepEqual(await names(), ["runs/a:step-10", "runs/a:step-2"]);
  const found = await models.find("runs/a:step-2");
  assert.deepEqual([found.path, found.bytes, found.run], [old, 2, { name: "a", step: 2 }]);
  assert.equal(await models.resolve("runs/a:step-2"), old);
  await rm(old, { recursive: true });
  assert.deepEqual(await names(), ["runs/a:step-10"]);
  await assert.rejects(models.find("runs/a:step-2"), /no model called.*\n?.*/);
});

test("without a step it is the run's newest", async () => {
  assert.equal((await models.find("runs/a")).run?.step, 10);
  const newest = await save("a", "step-0000100");
  assert.equal(await models.resolve("runs/a"), newest);
});

test("what is no run's checkpoint is a name or a path like others", async () => {
  await assert.rejects(models.find("runs/none"), /no checkpoint of a run none/);
  await assert.rejects(models.resolve("runs/none:step-1"), /no checkpoint of a run none/);
  await models.add(join(root, "a"), { name: "mine" });
  assert.equal(await models.resolve("mine"), join(root, "a"));
  assert.equal((await models.list())[0].name, "mine");
});
