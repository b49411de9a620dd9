// `liang quantize` as a person types it: a file and its report, JSON for scripts, and what it refuses.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { readImportance } from "../../src/quantize/index.ts";
import { storiesModel } from "../../src/store/built-in.ts";
import { openSqliteStorage } from "../../src/store/index.ts";
import { liangIn, refusalIn } from "./harness.ts";

const home = await mkdtemp(join(tmpdir(), "liang-quantize-"));
after(() => rm(home, { recursive: true, force: true }));
const liang = liangIn(home);
const at = (name: string): string => join(home, name);

describe("liang quantize", () => {
  test("writes the file with importances of a text, and shows what it costs", async () => {
    await writeFile(at("story.txt"), "Once upon a time there was a little girl who liked to play in the park.");
    const options = ["-o", at("small.gguf"), "--importance", at("story.txt"), "--text", at("story.txt")];
    const kept = ["--save-importance", at("matrix.gguf"), "--tensors"];
    const { code, stdout, stderr } = await liang.run(["quantize", storiesModel.path, "q4_0", ...options, ...kept]);
    assert.equal(code, 0, stderr);
    for (const line of ["size", "types", "error", "perplexity", "divergence", "same choice"]) {
      assert.match(stdout, new RegExp(`^  ${line} `, "m"));
    }
    assert.match(stdout, /^blk\.0\.attn_q\.weight +f32 +q4_0 /m);
    assert.match(stderr, /became f16 instead of q4_0/);
    for (const line of stdout.split("\n").filter((shown) => !shown.includes(home))) assert.ok(line.length <= 80, line);
    const again = ["-o", at("again.gguf"), "--importance", at("matrix.gguf"), "--no-compare", "--json"];
    const second = await liang.run(["quantize", storiesModel.path, "Q4_0", ...again]);
    assert.equal(second.code, 0, second.stderr);
    const report = JSON.parse(second.stdout) as { type: string; tensors: unknown[]; comparison: { skipped: string } };
    assert.equal(report.type, "Q4_0");
    assert.equal(report.tensors.length, 47);
    assert.deepEqual(report.comparison, { skipped: "no text was given" });
    assert.ok((await readdir(home)).includes("again.gguf"));
  });

  test("takes importances of the person's own conversations", async () => {
    const options = ["-o", at("chats.gguf"), "--importance", "chats", "--save-importance", at("chats-matrix.gguf")];
    const words = ["quantize", storiesModel.path, "q4_0", ...options, "--no-compare"];
    const none = await refusalIn(home, words);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /There are no conversations yet\./);
    await using storage = openSqliteStorage(home);
    const settings = { systemPrompt: "Tell a story." };
    const { id } = await storage.conversations.create({ title: "A story", model: null, settings });
    const status = "complete";
    const message = { parent: null, role: "user", content: "Of a girl and her dog.", status } as const;
    const { id: parent } = await storage.conversations.addMessage(id, message);
    await storage.conversations.addMessage(id, { parent, role: "assistant", content: "Once upon a time.", status });
    const { code, stderr } = await liang.run(words);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Importances are of 1 conversation, \d+ tokens/);
    assert.ok((await readImportance(at("chats-matrix.gguf"))).has("blk.0.attn_q.weight"));
  });

  test("says which types there are, and what does not go together", async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await refusalIn(home, ["quantize", storiesModel.path, ...args]);
      assert.equal(code, 2, stderr);
      return stderr;
    };
    assert.match(await refused("Q4_X"), /There is no type "Q4_X"\. There are F32, .*Q4_K_M/);
    assert.match(await refused(), /Found no type.*--ladder/);
    assert.match(await refused("Q4_0", "--ladder"), /--ladder measures all types/);
    assert.match(await refused("Q4_0", "--save-importance", at("x.gguf")), /--save-importance needs a text/);
  });
});
