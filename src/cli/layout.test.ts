import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WordWrap, columns, fit, fitEnd, layOut } from "./layout.ts";

describe("columns", () => {
  for (const [text, width] of [
    ["", 0],
    ["plain", 5],
    ["量变", 4],
    ["，。", 4],
    ["ｆｕ", 4],
    ["한글", 4],
    ["é", 1],
    ["e\u0301", 1],
    ["a\u200bb", 2],
    ["👩‍👩‍👧", 2],
    ["❤️", 2],
    ["–…›", 3],
    ["\x1b[31mred\x1b[39m", 3],
  ] as const) {
    test(`${JSON.stringify(text)} takes ${width}`, () => assert.equal(columns(text), width));
  }

  test("fit cuts between characters and says so", () => {
    assert.equal(fit("abc", 3), "abc");
    assert.equal(fit("abcd", 3), "ab…");
    assert.equal(fit("量变引", 5), "量变…");
    assert.equal(fit("量变引", 4), "量…");
  });

  test("fitEnd keeps the end, whole characters of it", () => {
    assert.equal(fitEnd("abc", 3), "abc");
    assert.equal(fitEnd("abcd", 3), "…cd");
    assert.equal(fitEnd("量变引", 5), "…变引");
    assert.equal(fitEnd("量变引", 4), "…引");
  });
});

describe("typed text on the grid", () => {
  test("breaks where a row is full and after each line, under the prompt", () => {
    assert.deepEqual(layOut("abcdef\ngh", "i", 6, 2), { rows: ["abcd", "ef", "ghi"], cursor: { row: 2, column: 4 } });
  });

  test("a wide character that does not fit whole begins a new row", () => {
    assert.deepEqual(layOut("量变引", "", 7, 2).rows, ["量变", "引"]);
  });

  test("a cursor behind a full row has a row of its own", () => {
    assert.deepEqual(layOut("abcd", "", 6, 2), { rows: ["abcd", ""], cursor: { row: 1, column: 2 } });
  });
});

describe("streamed text", () => {
  const wrapped = (text: string, width: number, cut = text.length): string => {
    const wrap = new WordWrap(width);
    let out = "";
    for (let at = 0; at < text.length; at += cut) out += wrap.push(text.slice(at, at + cut));
    return out + wrap.end();
  };

  test("is broken between words, wherever the pieces end", () => {
    const text = "the cat sat\non the mat";
    for (const cut of [1, 2, 3, 5, 100]) assert.equal(wrapped(text, 8, cut), "the cat \nsat\non the \nmat");
  });

  test("no row is wider than the terminal, Chinese breaks anywhere, and nothing but line breaks is added", () => {
    const text = "一个tokenizer把文字变成数字，再由模型预测下一个 token。 supercalifragilistic";
    for (const width of [6, 10, 17]) {
      const out = wrapped(text, width, 3);
      for (const row of out.split("\n")) assert.ok(columns(row.trimEnd()) <= width, `${row} in ${width}`);
      assert.equal(out.replaceAll(/[\n ]/g, ""), text.replaceAll(" ", ""));
    }
  });

  test("code keeps its lines as they are", () => {
    const code = "```\nlet total = first + second;\n```\n";
    assert.equal(wrapped(code, 10), code);
    assert.equal(wrapped(`${code}one two three`, 10), `${code}one two \nthree`);
  });
});
