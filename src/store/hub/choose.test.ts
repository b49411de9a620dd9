import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NotFoundError, UnsupportedError, UsageError } from "../../base/errors.ts";
import { chooseFiles } from "./choose.ts";

const choose = (paths: readonly string[], wish?: string) => {
  const { tag, files } = chooseFiles(
    "o/n",
    paths.map((path) => ({ path, bytes: 1 })),
    wish,
  );
  return [tag, ...files.map((file) => file.path)];
};

describe("GGUF files", () => {
  const usual = [
    "m-Q2_K.gguf",
    "m-Q4_K_M.gguf",
    "m-Q4_K_S.gguf",
    "m-IQ4_XS.gguf",
    "m-BF16.gguf",
    "mmproj-m-F16.gguf",
    "imatrix.gguf",
  ];

  test("without a wish Q4_K_M comes, else the next usual one, else the only one", () => {
    assert.deepEqual(choose(usual), ["Q4_K_M", "m-Q4_K_M.gguf"]);
    assert.deepEqual(choose(["m-q8_0.gguf", "m-f16.gguf"]), ["Q8_0", "m-q8_0.gguf"]);
    assert.deepEqual(choose(["model.gguf", "mmproj.gguf"]), ["model", "model.gguf"]);
    assert.throws(
      () => choose(["a.gguf", "b.gguf"]),
      (error) => error instanceof UsageError && /a, b/.test(error.message),
    );
  });

  for (const [wish, expected] of [
    ["iq4_xs", "m-IQ4_XS.gguf"],
    ["BF16", "m-BF16.gguf"],
    ["m-Q2_K", "m-Q2_K.gguf"],
    ["M-q2_k.GGUF", "m-Q2_K.gguf"],
  ] as const) {
    test(`${wish} is ${expected}`, () => assert.equal(choose(usual, wish)[1], expected));
  }

  test("the format is the last one of a name, with its UD- prefix, in any folder", () => {
    assert.deepEqual(choose(["Q8-model-UD-Q4_K_XL.gguf", "x.gguf"], "UD-Q4_K_XL")[0], "UD-Q4_K_XL");
    assert.deepEqual(choose(["F16/big-F16.gguf", "Q4_0/big-Q4_0.gguf"]), ["Q4_0", "Q4_0/big-Q4_0.gguf"]);
    assert.deepEqual(choose(["f16-trained.Q5_K_M.gguf", "a.gguf"])[0], "Q5_K_M");
    assert.deepEqual(choose(["gpt-oss-20b-mxfp4.gguf"])[0], "MXFP4");
    assert.deepEqual(choose(["Q1model.gguf"])[0], "Q1model", "part of a word is no format");
  });

  test("two files of one format are told apart by name", () => {
    const two = ["a-Q4_K_M.gguf", "b-Q4_K_M.gguf"];
    assert.throws(
      () => choose(two),
      (error) => error instanceof UsageError && /a-Q4_K_M, b-Q4_K_M/.test(error.message),
    );
    assert.throws(() => choose(two, "Q4_K_M"), UsageError);
    assert.deepEqual(choose(two, "b-Q4_K_M"), ["b-Q4_K_M", "b-Q4_K_M.gguf"]);
  });

  test("parts come in order by any part's name, and a missing one is an error", () => {
    const parts = [3, 1, 2].map((part) => `d/m-Q6_K-0000${part}-of-00003.gguf`);
    const sorted = parts.toSorted();
    assert.deepEqual(choose(parts), ["Q6_K", ...sorted]);
    assert.deepEqual(choose(parts, "m-Q6_K-00002-of-00003.gguf"), ["Q6_K", ...sorted]);
    assert.throws(
      () => choose(parts.slice(1)),
      (error) => error instanceof UnsupportedError && /2 of the 3/.test(error.message),
    );
  });

  test("a wish that nothing fits lists what there is", () => {
    assert.throws(
      () => choose(usual, "Q3_K"),
      (error) => error instanceof NotFoundError && /Q2_K, Q4_K_M/.test(error.message),
    );
  });
});

describe("folders", () => {
  test("need config.json and safetensors; what can run code is not taken", () => {
    assert.deepEqual(choose(["model.safetensors", "config.json", "x.py"]), [
      undefined,
      "config.json",
      "model.safetensors",
    ]);
    assert.throws(
      () => choose(["config.json", "pytorch_model.bin"]),
      (error) => error instanceof UnsupportedError && /run code/.test(error.message),
    );
    assert.throws(() => choose(["adapter_model.safetensors"]), UnsupportedError);
    assert.throws(() => choose(["config.json", "model.safetensors"], "Q4_K_M"), NotFoundError);
  });
});
