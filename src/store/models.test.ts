import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FormatError, NotFoundError, UsageError } from "../base/errors.ts";
import { adapterName, nameFromFile, parseModelName, splitAdapterName } from "./model-name.ts";
import { openModelList } from "./models.ts";

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "liang-models-"));
  folders.push(folder);
  return folder;
}
async function withFile(name: string, bytes = 10): Promise<{ folder: string; file: string }> {
  const folder = await temporaryFolder();
  const file = join(folder, name);
  await writeFile(file, new Uint8Array(bytes));
  return { folder, file };
}

describe("model names", () => {
  test("org/name:file splits into its parts, a plain name has no org", () => {
    assert.deepEqual(parseModelName("Qwen/Qwen3-0.6B-GGUF:Q4_K_M"), {
      org: "Qwen",
      name: "Qwen3-0.6B-GGUF",
      file: "Q4_K_M",
    });
    assert.deepEqual(parseModelName("a/b:sub/f-00001-of-00002.gguf").file, "sub/f-00001-of-00002.gguf");
    assert.deepEqual(parseModelName("通义-小"), { org: undefined, name: "通义-小", file: undefined });
  });

  test("an adapter's name is its model's and its own", () => {
    assert.equal(adapterName("a/b:Q4_K_M", "poet"), "a/b:Q4_K_M@poet");
    assert.deepEqual(splitAdapterName("a/b:Q4_K_M@poet"), { base: "a/b:Q4_K_M", adapter: "poet" });
    assert.equal(splitAdapterName("a/b:Q4_K_M"), undefined);
    for (const bad of ["", "a b", "../x", "x@y"]) assert.throws(() => adapterName("a", bad), UsageError);
  });

  for (const bad of [
    "a@b",
    "",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a/..",
    "a/b/c",
    "a//b",
    "a\\b",
    "a/b:../../x",
    "a/b:/x",
    "a/b:",
    "a/b:.hidden",
    "a b",
    "a\0b",
    "%2e%2e/x",
    "aux/x",
    "__proto__",
    "a/con.gguf",
    "x".repeat(300),
  ]) {
    test(`${JSON.stringify(bad).slice(0, 30)} is refused`, () => {
      assert.throws(() => parseModelName(bad), UsageError);
    });
  }

  test("a file's name becomes a valid name whatever it holds", () => {
    assert.equal(nameFromFile("gemma-3-270m-q4_k_m.gguf"), "gemma-3-270m-q4_k_m");
    assert.equal(nameFromFile("big-00001-of-00003.gguf"), "big");
    assert.equal(nameFromFile("my model (1).gguf"), "my-model-1");
    assert.equal(nameFromFile("...gguf"), "model");
    assert.equal(nameFromFile("()"), "model");
  });
});

describe("the model list", () => {
  test("a file that was added is found by its name, from the same place, by another list on the folder", async () => {
    const { folder, file } = await withFile("tiny.gguf", 123);
    const added = await openModelList(folder).add(file);
    assert.equal(added.name, "tiny");
    const found = await openModelList(folder).find("tiny");
    assert.equal(found.path, file);
    assert.equal(found.bytes, 123);
    assert.equal(await openModelList(folder).resolve("tiny"), file);
    assert.equal(await openModelList(folder).resolve(file), file);
  });

  test("names are found without regard to case, and a repository by its only file", async () => {
    const { folder, file } = await withFile("x.gguf");
    const list = openModelList(folder);
    await list.add(file, { name: "Qwen/Qwen3-GGUF:Q4_K_M" });
    assert.equal((await list.find("qwen/qwen3-gguf")).name, "Qwen/Qwen3-GGUF:Q4_K_M");
    const second = join(folder, "y.gguf");
    await writeFile(second, "y");
    await list.add(second, { name: "Qwen/Qwen3-GGUF:Q8_0" });
    await assert.rejects(list.find("qwen/qwen3-gguf"), (error: NotFoundError) => {
      return error instanceof NotFoundError && /several/.test(error.message) && /Q8_0/.test(error.message);
    });
  });

  test("a name in use for another path is refused unless it is replaced", async () => {
    const { folder, file } = await withFile("a.gguf");
    const other = join(folder, "b.gguf");
    await writeFile(other, "b");
    const list = openModelList(folder);
    await list.add(file, { name: "m" });
    await list.add(file, { name: "m" });
    await assert.rejects(list.add(other, { name: "m" }), /taken/);
    await list.add(other, { name: "m", replace: true });
    assert.equal((await list.find("m")).path, other);
  });

  test("what is not there cannot be added, and an unknown name says what there is", async () => {
    const { folder, file } = await withFile("known.gguf");
    const list = openModelList(folder);
    await assert.rejects(list.add(join(folder, "none.gguf")), NotFoundError);
    await assert.rejects(list.find("x"), /empty/);
    await list.add(file);
    await assert.rejects(list.resolve("x"), /There are: known\. `liang pull/);
    await assert.rejects(list.find("x"), /There are: known\.$/);
  });

  test("a file deleted behind the list shows with no size", async () => {
    const { folder, file } = await withFile("gone.gguf");
    const list = openModelList(folder);
    await list.add(file);
    await rm(file);
    assert.equal((await list.find("gone")).bytes, null);
  });

  test("a split file's size is that of all parts, and a folder's that of its files", async () => {
    const { folder, file } = await withFile("s-00001-of-00002.gguf", 5);
    await writeFile(join(folder, "s-00002-of-00002.gguf"), new Uint8Array(7));
    await mkdir(join(folder, "hf"));
    await writeFile(join(folder, "hf", "config.json"), "{}");
    const list = openModelList(folder);
    assert.equal((await list.add(file)).bytes, 12);
    assert.equal((await list.add(join(folder, "hf"))).bytes, 2);
  });

  test("removing deletes pulled files and the folders they leave empty, never a file in use in place", async () => {
    const { folder, file } = await withFile("mine.gguf");
    const pulled = join(folder, "models", "org", "repo");
    await mkdir(pulled, { recursive: true });
    const parts = ["p-00001-of-00002.gguf", "p-00002-of-00002.gguf"].map((name) => join(pulled, name));
    for (const part of parts) await writeFile(part, "x");
    const list = openModelList(folder);
    await list.add(file);
    await list.add(parts[0], { name: "org/repo" });
    assert.deepEqual(await list.remove("mine", { deleteFiles: true }), {
      path: file,
      deletedFiles: false,
      adapters: [],
    });
    assert.equal((await readFile(file)).length, 10);
    assert.equal((await list.remove("org/repo", { deleteFiles: true })).deletedFiles, true);
    assert.deepEqual(await readdir(join(folder, "models")), []);
    assert.deepEqual(await list.list(), []);
  });

  test("the built-in model comes last and can be neither removed nor shadowed", async () => {
    const { folder, file } = await withFile("z.gguf");
    const list = openModelList(folder, [{ name: "stories", path: file }]);
    await list.add(file, { name: "zz" });
    assert.deepEqual(
      (await list.list()).map(({ name, builtIn }) => [name, builtIn]),
      [
        ["zz", false],
        ["stories", true],
      ],
    );
    await assert.rejects(list.remove("stories"), /built in/);
    await assert.rejects(list.add(file, { name: "stories" }), /built-in/);
  });

  test("twenty writers at once lose nothing", async () => {
    const { folder, file } = await withFile("w.gguf");
    const names = Array.from({ length: 20 }, (_, index) => `w${index}`);
    await Promise.all(names.map((name) => openModelList(folder).add(file, { name })));
    assert.deepEqual((await openModelList(folder).list()).map((model) => model.name).sort(), names.toSorted());
    assert.deepEqual(
      (await readdir(folder)).sort(),
      ["models.json", "w.gguf"],
      "no lock or temporary file stays behind",
    );
  });

  test("the lock of a process that died is broken, and no writer that waited for it is lost", async () => {
    const { folder, file } = await withFile("w.gguf");
    const lock = join(folder, "models.json.lock");
    await writeFile(lock, "");
    await utimes(lock, new Date(0), new Date(0));
    const names = Array.from({ length: 10 }, (_, index) => `w${index}`);
    await Promise.all(names.map((name) => openModelList(folder).add(file, { name })));
    assert.deepEqual((await openModelList(folder).list()).map((model) => model.name).sort(), names.toSorted());
    assert.deepEqual((await readdir(folder)).sort(), ["models.json", "w.gguf"]);
  });

  test("what a process left that died while it wrote is deleted by the next writer, what is being written is not", async () => {
    const folder = await temporaryFolder();
    const put = async (name: string, ageMs: number) => {
      const at = new Date(Date.now() - ageMs);
      await writeFile(join(folder, name), "{");
      await utimes(join(folder, name), at, at);
    };
    const hourMs = 3_600_000;
    await put("models.json.77-0.part", 2 * hourMs);
    await put("models.json.78-12.part", hourMs / 2);
    await put("models.json.part", 2 * hourMs);
    await put("other.json.77-0.part", 2 * hourMs);
    await put("a.gguf", 0);
    await openModelList(folder).add(join(folder, "a.gguf"));
    const names = (await readdir(folder)).toSorted();
    assert.deepEqual(names, [
      "a.gguf",
      "models.json",
      "models.json.78-12.part",
      "models.json.part",
      "other.json.77-0.part",
    ]);
  });

  test("a lock left a moment ago is waited for, not an error", async () => {
    const { folder, file } = await withFile("w.gguf");
    await writeFile(join(folder, "models.json.lock"), "");
    await openModelList(folder).add(file);
    assert.equal((await openModelList(folder).list()).length, 1);
  });

  test("a name that every object has is a name like any other", async () => {
    const { folder, file } = await withFile("w.gguf");
    const list = openModelList(folder);
    for (const name of ["constructor", "toString"]) {
      await list.add(file, { name });
      assert.equal((await list.find(name)).path, file);
    }
  });

  test("a broken models.json is an error that names the file, and is left as it is", async () => {
    for (const text of ["{", '{"version":2,"models":{}}', '{"version":1,"models":{"a":{"path":3}}}']) {
      const { folder, file } = await withFile("a.gguf");
      await writeFile(join(folder, "models.json"), text);
      await assert.rejects(openModelList(folder).list(), (error: FormatError) => {
        return error instanceof FormatError && error.file.endsWith("models.json");
      });
      await assert.rejects(openModelList(folder).add(file), FormatError);
      assert.equal(await readFile(join(folder, "models.json"), "utf8"), text);
    }
  });
});

describe("adapters on the list", () => {
  test("come after their model, are found by its short names too, and go with it", async () => {
    const { folder, file } = await withFile("tiny.gguf");
    const list = openModelList(folder, [{ name: "built-in", path: file }]);
    await list.add(file, { name: "org/tiny:Q8_0" });
    await list.add(file, { name: "zebra" });
    await list.add(file, { base: "org/tiny", name: "poet" });
    await list.add(file, { base: "built-in", name: "x" });
    const names = (await list.list()).map(({ name }) => name);
    assert.deepEqual(names, ["org/tiny:Q8_0", "org/tiny:Q8_0@poet", "zebra", "built-in", "built-in@x"]);
    const found = await list.find("ORG/tiny@Poet");
    assert.deepEqual([found.name, found.base], ["org/tiny:Q8_0@poet", "org/tiny:Q8_0"]);
    assert.equal((await list.find("org/tiny")).name, "org/tiny:Q8_0", "adapters make no name ambiguous");
    await assert.rejects(list.find("org/tiny@other"), /no adapter called "other".*org\/tiny:Q8_0@poet/);
    await assert.rejects(list.find("zebra@poet"), /It has none/);
    await assert.rejects(list.resolve("org/tiny@poet"), /is an adapter of "org\/tiny:Q8_0"/);
    await assert.rejects(list.add(file, { base: "org/tiny@poet", name: "more" }), /adapter itself/);
    const removed = await list.remove("org/tiny:Q8_0");
    assert.deepEqual(removed.adapters, ["org/tiny:Q8_0@poet"]);
    assert.deepEqual(
      (await list.list()).map(({ name }) => name),
      ["zebra", "built-in", "built-in@x"],
    );
    await list.remove("built-in@x");
    assert.equal((await list.list()).length, 2);
  });
});
