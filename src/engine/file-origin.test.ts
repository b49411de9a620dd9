// What tells a model's files apart: other bytes under the same name, size and time are another origin, and a file that was
// replaced or written to while it is open is known to be.
import assert from "node:assert/strict";
import { copyFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeTemporaryFolder, readBytes } from "#platform";
import { openModelFiles } from "../format/open-model-files.ts";
import { originOf } from "./file-origin.ts";
import { readModelFiles } from "./file-store.ts";

const builtIn = fileURLToPath(new URL("../../models/stories260K.gguf", import.meta.url));
const TIME = new Date(1e12); // as archives that are to be the same every time set it
let folder = "";
let path = "";
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  path = join(folder, "m.gguf");
  await copyFile(builtIn, path);
  await utimes(path, TIME, TIME);
});
afterEach(() => rm(folder, { recursive: true }));

/** The model's bytes with other weights under the same header. */
async function otherWeights(): Promise<Uint8Array> {
  const bytes = await readBytes(builtIn, 1 << 21);
  return bytes.fill(0, bytes.length - 200_000);
}

async function open() {
  const files = await openModelFiles(path);
  const { parameters } = await readModelFiles(files);
  return { files, describe: async () => (await originOf(files, parameters))! };
}

async function described(): Promise<string> {
  const { files, describe } = await open();
  await using _ = files;
  return (await describe()).description;
}

test("is the same as long as nothing changes", async () => {
  assert.equal(await described(), await described());
});

for (const [how, change] of Object.entries({
  "another file": async (): Promise<void> => {
    await writeFile(`${path}.new`, await otherWeights());
    await utimes(`${path}.new`, TIME, TIME);
    await rename(`${path}.new`, path);
  },
  "written in place": async (): Promise<void> => {
    await writeFile(path, await otherWeights());
    await utimes(path, TIME, TIME);
  },
})) {
  test(`is another one for other weights of the same header, size and time: ${how}`, async () => {
    const before = await described();
    await change();
    assert.notEqual(await described(), before);
  });

  test(`is that of the opened file when its name has other weights by then: ${how}`, async () => {
    const { files, describe } = await open();
    await using _ = files;
    const untouched = await describe();
    assert.equal(await untouched.isUnchanged(), true);
    await change();
    const origin = await describe();
    assert.equal(await origin.isUnchanged(), false);
    assert.notEqual(origin.description, await described());
  });
}
