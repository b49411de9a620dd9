// Folders whose tokenizer is a Python class of their own, without a tokenizer.json: read without the class, they give the ids
// that it gives (test/golden/text/classes/make.py).
import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { UnsupportedError } from "../../src/base/errors.ts";
import { openTextSide } from "../../src/chat/open-text-side.ts";
import { readTextFiles } from "../../src/format/hf-folder.ts";
import { tokenizerFromFolder } from "../../src/text/from-folder.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";

const folder = resolve(import.meta.dirname, "../golden/text");

interface Golden {
  readonly eos?: number;
  readonly eot?: number;
  readonly specials?: Readonly<Record<string, number>>;
  readonly cases: readonly {
    readonly text: string;
    readonly ids: number[];
    readonly around?: number[];
    readonly special?: number[];
  }[];
}
type Name = "chatglm3" | "baichuan" | "baichuan-bos" | "glm4" | "hunyuan";
const golden = JSON.parse(await readFile(join(folder, "classes/classes.json"), "utf8")) as Record<Name, Golden>;

/** As published configs have it: a class in Python, by name and by file. */
const autoMap = (name: string) => ({
  tokenizer_class: name.replace(/^.*\./, ""),
  auto_map: { AutoTokenizer: [name, null] },
});
const addedTokens = Object.fromEntries(
  Object.entries(golden.glm4.specials!).map(([content, id]) => [id, { content, special: true }]),
);
const folders: Readonly<Record<Name, { readonly file: string; readonly as: string; readonly config: object }>> = {
  chatglm3: {
    file: "sp-bpe.model",
    as: "tokenizer.model",
    config: autoMap("tokenization_chatglm.ChatGLMTokenizer"),
  },
  baichuan: {
    file: "sp-bpe.model",
    as: "tokenizer.model",
    config: { ...autoMap("tokenization_baichuan.BaichuanTokenizer"), add_bos_token: false, add_eos_token: false },
  },
  "baichuan-bos": {
    file: "sp-bpe.model",
    as: "tokenizer.model",
    config: { ...autoMap("tokenization_baichuan.BaiChuanTokenizer"), add_bos_token: true, add_eos_token: false },
  },
  glm4: {
    file: "classes/ranks.tiktoken",
    as: "tokenizer.model",
    config: { ...autoMap("tokenization_chatglm.ChatGLM4Tokenizer"), added_tokens_decoder: addedTokens },
  },
  hunyuan: {
    file: "classes/ranks.tiktoken",
    as: "hy.tiktoken",
    config: { ...autoMap("tokenization_hy.HYTokenizer"), eos_token: "<|eos|>" },
  },
};

async function inFolder<T>(
  { file, as, config }: (typeof folders)[Name],
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), "liang-class-"));
  try {
    await copyFile(join(folder, file), join(path, as));
    await writeFile(join(path, "tokenizer_config.json"), JSON.stringify(config));
    return await use(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

const opened = async (path: string): Promise<Tokenizer> =>
  (await tokenizerFromFolder(await readTextFiles(path), path)) ?? assert.fail("no tokenizer");

for (const name of Object.keys(folders) as Name[]) {
  describe(`a folder as ${name} has it`, () => {
    test("gives the class's ids, plain, with what is around a text, and of special tokens", () =>
      inFolder(folders[name], async (path) => {
        const tokenizer = await opened(path);
        for (const { text, ids, around, special } of golden[name].cases) {
          assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
          if (around !== undefined) assert.deepEqual(tokenizer.encode(text, { bos: true }), around, text);
          if (special === undefined) continue;
          assert.deepEqual(tokenizer.encode(text, { special: true }), special, text);
          if (name === "hunyuan") assert.equal(tokenizer.decode(special), text.normalize("NFC"));
        }
        const { eos, eot } = golden[name];
        if (eos !== undefined) assert.ok(tokenizer.specials.endOfGeneration.has(eos), "EOS ends a reply");
        if (eot !== undefined) assert.ok(tokenizer.specials.endOfGeneration.has(eot), "so does a new turn");
      }));
  });
}

test("GLM's prefix stands before what a model goes on with, once", () =>
  inFolder(folders.glm4, async (path) => {
    await using side = await openTextSide(path);
    const { text, around } = golden.glm4.cases[2];
    assert.deepEqual(side.tokenize(text, { bos: true }), around);
    assert.deepEqual(side.tokenize(`[gMASK]<sop>${text}`, { bos: true, special: true }), around);
  }));

test("ranks of a class that is not known are refused by its name", () =>
  inFolder({ ...folders.glm4, config: autoMap("tokenization_other.OtherTokenizer") }, async (path) => {
    const isRefusal = (error: unknown): boolean =>
      error instanceof UnsupportedError && /tokenizer_class is OtherTokenizer.*ChatGLM4Tokenizer/.test(error.message);
    await assert.rejects(opened(path), isRefusal);
  }));
