// Adapters on the command line: by their path, on the list under their model, and what is refused.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readModelFiles } from "../../src/engine/file-store.ts";
import { openModelFiles } from "../../src/format/open-model-files.ts";
import { makeAdapter } from "../engine/adapter-cases.ts";
import { writePeftFolder } from "../engine/adapter-folders.ts";
import { ROOT, liangIn, refusalIn } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "liang-cli-adapters-"));
after(() => rm(folder, { recursive: true }));
const home = join(folder, "home");
const liang = liangIn(home);
const POET = join(folder, "poet");

before(async () => {
  await using files = await openModelFiles(join(ROOT, "models/stories260K.gguf"));
  await writePeftFolder(POET, makeAdapter(await readModelFiles(files), { seed: 1, rank: 4, alpha: 8, kind: "hf" }));
});

async function said(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await liang.run(args);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}
const tell = (model: string, ...more: string[]): Promise<string> =>
  said([
    "run",
    model,
    "Once upon a time",
    "--raw",
    "--temperature",
    "0",
    "--max-tokens",
    "8",
    "--threads",
    "1",
    ...more,
  ]);

test("an adapter by its path, and by its name on the list, says the same", async () => {
  const plain = await tell("stories260k");
  const adapted = await tell("stories260k", "--adapter", POET);
  assert.notEqual(adapted, plain);
  const added = await said(["add", POET, "--base", "stories260k"]);
  assert.match(added, /^stories260k@poet: rank 4, 35 projections, .*, at /);
  assert.match(await said(["list"]), /stories260k .*built in\n +stories260k@poet .*poet\n/);
  assert.equal(await tell("stories260k@poet"), adapted);
  const listed = (JSON.parse(await said(["list", "--json"])) as { name: string; base?: string }[]).at(-1)!;
  assert.deepEqual([listed.name, listed.base], ["stories260k@poet", "stories260k"]);
  await said(["rm", "stories260k@poet"]);
  assert.doesNotMatch(await said(["list"]), /poet/);
});

test("what cannot be is refused with what to do", async () => {
  const refused: [string[], RegExp][] = [
    [["run", POET, "x"], /is an adapter, not a model\. .*--adapter/],
    [["add", POET], /is an adapter, not a model/],
    [["run", "stories260k", "x", "--adapter", folder], /no adapter_config\.json in/],
    [["run", "stories260k@none", "x"], /no adapter called "none"/],
    [["serve", "--port", "0", "--adapter", POET], /adapters and no model.*--model/],
  ];
  for (const [args, words] of refused) {
    const { code, stderr } = await refusalIn(home, args);
    assert.match(stderr, words);
    assert.notEqual(code, 0);
  }
});
