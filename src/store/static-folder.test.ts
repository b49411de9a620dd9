import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openStaticFolder } from "./static-folder.ts";

let base = "";
before(async () => {
  base = await mkdtemp(join(tmpdir(), "liang-static-"));
  await mkdir(join(base, "web", "assets"), { recursive: true });
  await mkdir(join(base, "web-secret"));
  await writeFile(join(base, "web", "index.html"), "page");
  await writeFile(join(base, "web", "assets", "a-1.js"), "script");
  await writeFile(join(base, "web", ".env"), "secret");
  await writeFile(join(base, "secret.txt"), "secret");
  await writeFile(join(base, "web-secret", "s.txt"), "secret");
  await symlink(join(base, "secret.txt"), join(base, "web", "link.txt"));
});
after(() => rm(base, { recursive: true }));

test("files inside are read, whatever their depth", async () => {
  const folder = openStaticFolder(join(base, "web"));
  assert.equal(new TextDecoder().decode(await folder.read("index.html")), "page");
  assert.equal(new TextDecoder().decode(await folder.read("assets/a-1.js")), "script");
});

for (const path of [
  "",
  ".",
  "..",
  "../secret.txt",
  "assets/../../secret.txt",
  "../web-secret/s.txt",
  "..\\secret.txt",
  "%2e%2e/secret.txt",
  "/etc/passwd",
  "assets",
  "assets/",
  "assets//a-1.js",
  ".env",
  "link.txt",
  "index.html\0",
  "none.html",
]) {
  test(`${JSON.stringify(path)} is not there`, async () => {
    assert.equal(await openStaticFolder(join(base, "web")).read(path), undefined);
  });
}

test("a folder that is not there holds nothing", async () => {
  assert.equal(await openStaticFolder(join(base, "nowhere")).read("index.html"), undefined);
});
