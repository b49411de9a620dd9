// docs/families.md says what the registry, the converter, the gradients and the golden cases say.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { readModelFiles } from "../../src/engine/file-store.ts";
import { families } from "../../src/models/index.ts";
import { familiesPage, path } from "../../scripts/families-page.ts";
import { caseFiles, sameReader } from "./cases.ts";

test("docs/families.md is what scripts/families-page.ts writes", async () => {
  assert.equal(await readFile(path, "utf8"), await familiesPage());
});

test("a family without a golden case of its own makes the same model of another one's", async () => {
  for (const [hf, name] of Object.entries(sameReader)) {
    assert.ok(families.some((row) => row.hf === hf));
    await using files = await caseFiles(name);
    await using renamed = await caseFiles(name, "config.json", { model_type: hf });
    const [theirs, own] = [await readModelFiles(files), await readModelFiles(renamed)];
    assert.equal(own.family, hf);
    assert.notEqual(theirs.family, hf);
    for (const part of ["parameters", "weightRows", "cacheGroups", "window"] as const) {
      assert.deepEqual(own[part], theirs[part], part);
    }
  }
});
