import assert from "node:assert/strict";
import { test } from "node:test";
import { createBlockSplitter, usesDefinitions, type Block } from "./blocks.ts";

const SAMPLE = [
  "# 标题\n\n第一段，有 **粗体** 和 `code`。\n第二行。\n\n",
  "Setext\n======\n\nText\n---\n\n***\n\n",
  "- one\n- two\n\n  still two\n\n- three\n  1. a\n  2. b\n\nafter the list\n\n",
  "```ts\nconst a = 1;\n\n\nconst b = `x`;\n```\n\n~~~\n```\n~~~\n\n    indented code\n\n",
  "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 | 4 |\n\n> quote\nlazy\n>\n> more\n\n",
  "$$\nx^2 + y_1\n$$\n\n\\[ a \\]\n\ntext $a$ and \\(b\\)\n$$c$$\n\n",
  '<div>\nraw\n</div>\n\n[link][ref] and [other]\n\n[ref]: https://example.org "t"\n\n1. x\n\n2. y\n\nend',
].join("");

const whole = (text: string): readonly Block[] => createBlockSplitter().update(text).blocks;

/** A repeatable stream of numbers in [0, 1): which cuts are tried does not change from run to run. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

test("a text that grows in any pieces ends with the same blocks as the text at once", () => {
  const random = numbers(7);
  const expected = whole(SAMPLE);
  for (let round = 0; round < 200; round++) {
    const splitter = createBlockSplitter();
    let at = 0;
    while (at < SAMPLE.length) {
      at = Math.min(SAMPLE.length, at + 1 + Math.floor(random.next().value * (round % 40) ** 1.5));
      splitter.update(SAMPLE.slice(0, at));
    }
    assert.deepEqual(splitter.update(SAMPLE).blocks, expected);
  }
});

test("blocks lie in order and leave out nothing but empty lines and definitions", () => {
  let at = 0;
  for (const block of whole(SAMPLE)) {
    assert.ok(block.key >= at);
    assert.match(SAMPLE.slice(at, block.key), /^(?:\s|\[ref\][^\n]*)*$/);
    assert.equal(SAMPLE.slice(block.key, block.key + block.source.length), block.source);
    at = block.key + block.source.length;
  }
  assert.equal(SAMPLE.slice(at).trim(), "");
});

test("what is finished keeps its identity: only the last two blocks are ever new", () => {
  const splitter = createBlockSplitter();
  let before: readonly Block[] = [];
  for (let at = 1; at <= SAMPLE.length; at++) {
    const { blocks } = splitter.update(SAMPLE.slice(0, at));
    const changed = blocks.filter((block, index) => block !== before[index]);
    assert.ok(changed.length <= 3, `${changed.length} blocks changed at ${at}`);
    before = blocks;
  }
});

test("an open fence takes everything up to its closing one, also what looks like Markdown", () => {
  const [block] = whole("```py\n# not a title\n\n- not a list\n");
  assert.deepEqual(
    {
      kind: block.kind,
      ...(block.kind === "code" && { closed: block.closed, language: block.language, code: block.code }),
    },
    { kind: "code", closed: false, language: "py", code: "# not a title\n\n- not a list" },
  );
  const [closed] = whole("```py\nx\n```\n");
  assert.ok(closed.kind === "code" && closed.closed);
  const [empty] = whole("```");
  assert.ok(empty.kind === "code" && !empty.closed);
});

test("link definitions are gathered wherever they stand", () => {
  const { definitions, blocks } = createBlockSplitter().update("[a][r]\n\n[r]: https://example.org\n\nlast");
  assert.equal(definitions, "[r]: https://example.org\n");
  assert.deepEqual(blocks.map(usesDefinitions), [true, false]);
});

test("a text that does not continue the last one starts over", () => {
  const splitter = createBlockSplitter();
  splitter.update("one\n\ntwo\n\nthree\n\nfour");
  assert.deepEqual(splitter.update("other").blocks, whole("other"));
});

test("carriage returns are line ends", () => {
  assert.deepEqual(
    whole("a\r\n\r\nb\r\n").map((block) => block.source.trim()),
    ["a", "b"],
  );
});

test("a growing reply is read in time that grows with its length, not with its square", () => {
  const paragraph = "Some words with **weight** and $x_1$ in them.\n\n- item\n- item\n\n";
  const charactersRead = (repeats: number): number => {
    const text = paragraph.repeat(repeats);
    const splitter = createBlockSplitter();
    let fresh = 0;
    let before: readonly Block[] = [];
    for (let at = 0; at < text.length; at += 16) {
      const { blocks } = splitter.update(text.slice(0, at));
      for (const [index, block] of blocks.entries()) if (block !== before[index]) fresh += block.source.length;
      before = blocks;
    }
    return fresh;
  };
  const ratio = charactersRead(200) / charactersRead(50);
  assert.ok(ratio < 4.5, `four times the text took ${ratio} times the reading`);
});

test("a long list that comes at once is read in time that grows with its length", () => {
  const started = performance.now();
  assert.equal(whole("- item one\n".repeat(60_000)).length, 1);
  const ms = performance.now() - started;
  assert.ok(ms < 4000, `600 kB took ${ms} ms`);
});
