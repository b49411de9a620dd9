// The documentation's programs are the files of examples/, and those run as they stand on the built-in model.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");
const examples = readdirSync(join(root, "examples"));

test("docs/library.md shows every example as it is", () => {
  const blocks = [...readFileSync(join(root, "docs/library.md"), "utf8").matchAll(/```ts\n(.*?)```/gs)].map(
    ([, code]) => code,
  );
  const programs = examples.map((name) => readFileSync(join(root, "examples", name), "utf8"));
  assert.deepEqual(blocks.toSorted(), programs.toSorted());
});

for (const name of examples) {
  test(`examples/${name} runs`, { timeout: 60_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join("examples", name)], { cwd: root });
    assert.match(stdout, /\w/);
  });
}
