import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Editor, isOpenBlock, unquoted } from "./editor.ts";

/** Types a text, with keys by name in braces: "ab{left}c". The cursor is shown as |. */
function typed(keys: string, editor = new Editor()): string {
  for (const [, name, character] of keys.matchAll(/\{([\w-]+)\}|([^{]\u0301?)/gu)) {
    if (name === undefined) editor.key(character, { name: character });
    else {
      const [, modifier, rest] = /^(?:(ctrl|meta)-)?(.*)$/.exec(name)!;
      editor.key(undefined, { name: rest, ctrl: modifier === "ctrl", meta: modifier === "meta" });
    }
  }
  return `${editor.before}|${editor.after}`;
}

describe("typing a message", () => {
  for (const [keys, text] of [
    ["abc{left}{left}x", "ax|bc"],
    ["你好👋{left}{backspace}", "你|👋"],
    ["e\u0301{backspace}", "|"],
    ["abc{home}{delete}{end}d", "bcd|"],
    ["one two{ctrl-w}", "one |"],
    ["one two{ctrl-left}{ctrl-k}", "one |"],
    ["one two{meta-b}{ctrl-u}", "|two"],
    ["one two{home}{ctrl-right}!", "one!| two"],
    ["ab{meta-return}cd{up}x", "abx|\ncd"],
    ["ab{enter}c{home}{up}{down}x", "ab\nxc|".replace("xc|", "x|c")],
    ["a{left}{left}{left}b", "b|a"],
    ["{backspace}{delete}{right}", "|"],
  ] as const) {
    test(`${keys} gives ${JSON.stringify(text)}`, () => assert.equal(typed(keys), text));
  }

  test("control characters of what is pasted are dropped, its line breaks are \\n", () => {
    const editor = new Editor();
    editor.insert("a\r\nb\rc\x1b[31m\td");
    assert.equal(editor.text, "a\nb\nc[31m\td");
  });

  test("enter submits, but for a message that was opened by three quotes and not closed", () => {
    const editor = new Editor();
    typed('"""a', editor);
    assert.equal(editor.key(undefined, { name: "return" }), undefined);
    typed('b"""', editor);
    assert.equal(editor.key(undefined, { name: "return" }), "submit");
    assert.equal(unquoted(editor.text), "a\nb");
  });

  test("up calls back what was submitted, down comes back to the draft", () => {
    const editor = new Editor();
    for (const message of ["one", "two"]) {
      typed(message, editor);
      editor.clear(editor.text);
    }
    assert.equal(typed("draft{up}", editor), "two|");
    assert.equal(typed("{up}{up}", editor), "one|");
    assert.equal(typed("{down}{down}", editor), "draft|");
    assert.equal(typed("{down}", editor), "draft|");
  });

  test("ctrl-d leaves only an empty message; ctrl-c is told", () => {
    const editor = new Editor();
    assert.equal(editor.key(undefined, { name: "d", ctrl: true }), "end");
    typed("ab{home}", editor);
    assert.equal(editor.key(undefined, { name: "d", ctrl: true }), undefined);
    assert.equal(editor.text, "b");
    assert.equal(editor.key("\x03", { name: "c", ctrl: true }), "interrupt");
  });
});

test("three quotes around a message are no part of it", () => {
  assert.equal(unquoted('"""\na\nb\n"""'), "a\nb");
  assert.equal(unquoted('say """ twice'), 'say """ twice');
  assert.ok(isOpenBlock('"""') && isOpenBlock(' """a') && !isOpenBlock('""""""') && !isOpenBlock("a"));
});
