// Pulling data sets from a hub-like server of both kinds: which files come, that their name is what `liang data prepare`
// takes, and that a pull which did not end is no data. What downloads do in trouble is pull.test.ts's.
import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { NotFoundError, UnsupportedError, UsageError } from "../../src/base/errors.ts";
import { chooseData } from "../../src/store/hub/choose-data.ts";
import { type PullOptions, dataSetPaths, pullData } from "../../src/store/index.ts";
import { liangIn } from "../cli/harness.ts";
import { type HubFaults, type HubServer, pseudoRandom, startHub, temporaryFolder } from "./hub-server.ts";

const ID = "org/poems";
const lines = (...texts: readonly string[]): Uint8Array =>
  Buffer.from(texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
const FILES = {
  "README.md": Buffer.from("# Poems"),
  "LICENSE.txt": Buffer.from("MIT"),
  "dataset_infos.json": Buffer.from("{}"),
  "en/train.jsonl": lines("an old silent pond", "a frog jumps into the pond"),
  "zh/train-1.jsonl": lines("床前明月光，疑是地上霜", "举头望明月，低头思故乡"),
  "zh/notes.txt": Buffer.from("notes"),
  "pictures/moon.png": pseudoRandom(100),
};

type Kind = "huggingface" | "modelscope";
const start = (kind: Kind, files: HubServer["files"] = FILES, faults: HubFaults = {}) =>
  startHub(kind, ID, files, faults, "datasets");

async function pull(hub: HubServer, folder: string, options: Partial<PullOptions> = {}) {
  const notices: string[] = [];
  const onNotice = (text: string): void => void notices.push(text);
  const pulled = await pullData({ name: ID, folder, endpoint: hub.endpoint, retryDelayMs: 1, onNotice, ...options });
  return { ...pulled, notices };
}

for (const kind of ["huggingface", "modelscope"] as const) {
  describe(`a data set on a hub of ${kind}'s kind`, () => {
    test("comes with its files of one kind, in their folders, and goes by its name then", async () => {
      await using hub = await start(kind);
      const folder = await temporaryFolder();
      const { path, files, notices } = await pull(hub, folder, { kind });
      assert.deepEqual(
        files.map((file) => file.path),
        ["en/train.jsonl", "zh/train-1.jsonl"],
      );
      assert.match(notices[0], /has besides.*zh\/notes\.txt/);
      const paths = await dataSetPaths(folder, ID);
      assert.deepEqual(
        paths.map((one) => relative(path, one)),
        [join("en", "train.jsonl"), join("zh", "train-1.jsonl")],
      );
      assert.deepEqual(await readFile(paths[1]), FILES["zh/train-1.jsonl"]);
      assert.equal((await pull(hub, folder, { kind })).fetchedBytes, 0, "what is there is only checked");
    });

    test("a part of it has a name of its own", async () => {
      await using hub = await start(kind);
      const folder = await temporaryFolder();
      const { path } = await pull(hub, folder, { kind, name: `${ID}:zh` });
      const names = async (name: string) => (await dataSetPaths(folder, name)).map((one) => relative(path, one));
      assert.deepEqual(await names(`${ID}:zh`), [join("zh", "notes.txt"), join("zh", "train-1.jsonl")]);
      await assert.rejects(dataSetPaths(folder, ID), (error) => {
        return error instanceof UsageError && /org\/poems is not there.*/.test(error.message);
      });
      await pull(hub, folder, { kind, name: `${ID}:json` });
      assert.deepEqual(await names(`${ID}:json`), [join("en", "train.jsonl"), join("zh", "train-1.jsonl")]);
      assert.equal((await names(`${ID}:zh`)).length, 2, "the first part stays");
    });

    test("a pull that broke off is no data until the next one has ended", async () => {
      const large = { "data/train.parquet": pseudoRandom(200_000) };
      await using hub = await start(kind, large, { cut: { afterBytes: 100_000, times: 99 } });
      const folder = await temporaryFolder();
      await assert.rejects(pull(hub, folder, { kind, attempts: 1 }));
      await assert.rejects(dataSetPaths(folder, ID), (error) => {
        return error instanceof UsageError && /not whole/.test(error.message) && /goes on/.test(error.message);
      });
      const { size } = await stat(join(folder, "data/org/poems/data/train.parquet.part"));
      hub.faults = {};
      const { fetchedBytes } = await pull(hub, folder, { kind });
      assert.equal(fetchedBytes, 200_000 - size, "what came is not fetched again");
      const [path] = await dataSetPaths(folder, ID);
      assert.deepEqual(new Uint8Array(await readFile(path)), large["data/train.parquet"]);
    });

    test("a listing of several pages is read whole", async () => {
      const many = Object.fromEntries(
        Array.from({ length: 450 }, (_, i) => [`part-${String(i).padStart(3, "0")}.txt`, Buffer.from(`text ${i}`)]),
      );
      await using hub = await start(kind, many, { pageSize: 200 });
      // one file is fetched: what counts is that the last page's is known
      const { files } = await pull(hub, await temporaryFolder(), { kind, name: `${ID}:part-449.txt` });
      assert.equal(files.length, 1);
    });

    test("one that is not there is named", async () => {
      await using hub = await start(kind);
      await assert.rejects(pull(hub, await temporaryFolder(), { kind, name: "org/none" }), (error) => {
        return error instanceof NotFoundError && /has no org\/none/.test(error.message);
      });
    });
  });
}

describe("names of data", () => {
  const listed = (...paths: readonly string[]) => paths.map((path) => ({ path, bytes: 1 }));
  const chosen = (paths: readonly string[], wish?: string): string[] =>
    chooseData(ID, listed(...paths), wish).files.map(({ path }) => path);

  test("Parquet goes before JSON lines, these before texts; packed ones count, papers do not", () => {
    const all = ["b.parquet", "a.jsonl.gz", "a.parquet", "c.txt", "README.md", "d/readme_zh.md", ".hidden.txt"];
    assert.deepEqual(chosen(all), ["a.parquet", "b.parquet"]);
    assert.deepEqual(chosen(all.slice(3)), ["c.txt"]);
    assert.deepEqual(chosen(all, "json"), ["a.jsonl.gz"]);
    assert.deepEqual(chosen(["x/train/0.parquet", "x/test/0.parquet"], "train"), ["x/train/0.parquet"]);
    assert.deepEqual(chosen(["x/train/0.parquet", "x/test/0.parquet"], "x/test"), ["x/test/0.parquet"]);
  });

  test("a wish that nothing fits, and a repository without data, are told with what there is", () => {
    assert.throws(
      () => chosen(["a.jsonl"], "b"),
      (error) => error instanceof NotFoundError && /There are: a\.jsonl/.test(error.message),
    );
    assert.throws(
      () => chosen(["moon.png", "README.md"]),
      (error) => error instanceof UnsupportedError && /moon\.png/.test(error.message),
    );
  });

  test("a path that is there goes before a name; what is neither is told", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "here"));
    assert.deepEqual(await dataSetPaths(folder, join(folder, "here")), [join(folder, "here")]);
    for (const name of ["none.txt", "a/b/c", "../x", "org/none"]) {
      await assert.rejects(dataSetPaths(folder, name), NotFoundError, name);
    }
    await mkdir(join(folder, "data/org"), { recursive: true });
    await writeFile(join(folder, "data/org/broken.json"), "{");
    await assert.rejects(dataSetPaths(folder, "org/broken"), /expected JSON/);
  });
});

test("liang pull --dataset fetches what liang data prepare takes by its name", async () => {
  await using hub = await start("huggingface");
  const folder = await temporaryFolder();
  const liang = liangIn(join(folder, "home"));
  const pulled = await liang.run(["pull", "--dataset", ID, "--endpoint", hub.endpoint, "--json"]);
  assert.equal(pulled.code, 0, pulled.stderr);
  const { files, fetchedBytes } = JSON.parse(pulled.stdout) as { files: string[]; fetchedBytes: number };
  assert.equal(files.length, 2);
  assert.equal(fetchedBytes, FILES["en/train.jsonl"].length + FILES["zh/train-1.jsonl"].length);
  const prepared = await liang.run(["data", "prepare", ID, "-o", join(folder, "prepared"), "--json"]);
  assert.equal(prepared.code, 0, prepared.stderr);
  const { total } = JSON.parse(prepared.stdout) as { total: Record<string, { documents: number }> };
  assert.equal(total["train"].documents + total["validation"].documents, 4);
});
