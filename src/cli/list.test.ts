import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { columns } from "./layout.ts";
import { modelTable } from "./list.ts";

const places = {
  plain: "/home/somebody/models/",
  english: `/home/somebody/${"a folder with a long name/".repeat(4)}`,
  chinese: `/home/某人/${"放模型的文件夹/".repeat(9)}`,
};

const rows = Object.values(places).flatMap((folder) => [
  { name: "量诗-七言绝句", bytes: 1_120_000_000, packedBytes: 1_230_000_000, where: `${folder}qwen2.5-coder.gguf` },
  { name: "gone", bytes: null, packedBytes: null, where: `${folder}gone.gguf` },
  { packedBytes: 905_000_000, where: `${folder}没有登记的模型.gguf` },
]);

describe("the table of models", () => {
  for (const width of [80, 100, 60]) {
    test(`fits ${width} columns, keeps the ends of places and says what is cut`, () => {
      const lines = modelTable(rows, width).split("\n");
      for (const line of lines) assert.ok(columns(line) <= width, line);
      assert.equal(lines.length, rows.length + 2);
      for (const [i, { where }] of rows.entries()) {
        const shown = lines[i + 1].slice(lines[i + 1].search(/[/…]/));
        if (shown !== where) assert.ok(shown.startsWith("…") && where.endsWith(shown.slice(1)), shown);
      }
      assert.match(lines.at(-1)!, /the places in full: liang list \| cat/);
    });
  }

  test("is whole where no width is known, and packed weights of models that are not listed have a row", () => {
    const lines = modelTable(rows, Infinity).split("\n");
    assert.equal(lines.length, rows.length + 1);
    for (const [i, { where }] of rows.entries()) assert.ok(lines[i + 1].endsWith(where), lines[i + 1]);
    assert.match(lines[3], /^\(not listed\)\s+905 MB  \/home/);
    assert.match(lines[2], /^gone\s+missing\s+\/home/);
  });
});
