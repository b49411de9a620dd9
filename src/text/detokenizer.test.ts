import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { uniform } from "../base/random.ts";
import { spellBytes } from "./byte-alphabet.ts";
import { byteLevelRules, type DecodeRules, sentencePieceRules, StreamDetokenizer } from "./detokenizer.ts";
import type { TokenClass } from "./tokenizer.ts";
import { Vocabulary } from "./vocabulary.ts";
import { wordPieceRules } from "./wordpiece.ts";

const utf8 = new TextEncoder();

function vocabularyOf(entries: readonly (readonly [string, TokenClass])[]): Vocabulary {
  return new Vocabulary(
    entries.map(([text]) => text),
    entries.map(([, tokenClass]) => tokenClass),
    "test",
  );
}

const KINDS: Readonly<Record<string, { readonly vocabulary: Vocabulary; readonly rules: DecodeRules }>> = {
  "byte level": {
    rules: byteLevelRules,
    vocabulary: vocabularyOf([
      ...Array.from({ length: 256 }, (_, byte) => [spellBytes(Uint8Array.of(byte)), "normal"] as const),
      ["Ġthe", "normal"],
      [spellBytes(utf8.encode("中文")), "normal"],
      [spellBytes(utf8.encode("😀").subarray(0, 3)), "normal"],
      ["<|end|>", "control"],
      ["<ø>", "user-defined"],
    ]),
  },
  SentencePiece: {
    rules: sentencePieceRules("one"),
    vocabulary: vocabularyOf([
      ["<unk>", "unknown"],
      ["<s>", "control"],
      ["▁", "normal"],
      ["▁Hello", "normal"],
      ["▁▁a", "normal"],
      ["world", "normal"],
      ["中", "normal"],
      ...Array.from({ length: 256 }, (_, byte) => {
        const hex = byte.toString(16).toUpperCase().padStart(2, "0");
        return [`<0x${hex}>`, "byte"] as const;
      }),
    ]),
  },
  "SentencePiece without extra white space": {
    rules: sentencePieceRules("all"),
    vocabulary: vocabularyOf([
      ["▁", "normal"],
      ["▁a", "normal"],
      ["b", "normal"],
    ]),
  },
  WordPiece: {
    rules: wordPieceRules("", "##", true),
    vocabulary: vocabularyOf([
      ["[SEP]", "control"],
      ["hello", "normal"],
      ["##s", "normal"],
      [".", "normal"],
      ["'", "normal"],
    ]),
  },
};

const bytesOf = (text: string) => [...utf8.encode(text)];
const byteStream = () => new StreamDetokenizer(KINDS["byte level"].vocabulary, byteLevelRules, {});

describe("the streaming detokenizer", () => {
  for (const [name, { vocabulary, rules }] of Object.entries(KINDS)) {
    test(`${name}: what it has given never changes, and in the end is the text of all bytes`, () => {
      for (let seed = 0; seed < 400; seed++) {
        const options = { special: seed % 2 === 0, start: seed % 3 !== 0 };
        const length = Math.floor(uniform(seed, 0, 0) * 20);
        const ids = Array.from({ length }, (_, i) => Math.floor(uniform(seed, 1, i) * vocabulary.size));
        const whole = new StreamDetokenizer(vocabulary, rules, options);
        const bytes = ids.flatMap((id) => [...whole.bytes(id)]);
        const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
        const stream = new StreamDetokenizer(vocabulary, rules, options);
        let text = "";
        for (const id of ids) {
          text += stream.push(id);
          assert.ok(expected.startsWith(text), `${ids.join()}: ${JSON.stringify(text)}`);
        }
        assert.equal(text + stream.end(), expected);
      }
    });
  }

  test("a character comes out with its last byte, not before", () => {
    const stream = byteStream();
    assert.deepEqual(
      bytesOf("é中😀").map((byte) => stream.push(byte)),
      ["", "é", "", "", "中", "", "", "", "😀"],
    );
    assert.equal(stream.end(), "");
  });

  test("bytes become U+FFFD as soon as they are known to be no character", () => {
    const stream = byteStream();
    assert.deepEqual(
      [0xe4, 0xbd, 0x41, 0xff, 0xf0].map((byte) => stream.push(byte)),
      ["", "", "\ufffdA", "\ufffd", ""],
    );
    assert.equal(stream.end(), "\ufffd");
  });

  test("a byte order mark is text like any other", () => {
    const stream = byteStream();
    assert.equal(
      bytesOf("\ufeffa")
        .map((byte) => stream.push(byte))
        .join(""),
      "\ufeffa",
    );
  });

  test("the encoder's space is taken off at the start only, and not from a continued text", () => {
    const { vocabulary, rules } = KINDS["SentencePiece"];
    const [bos, hello, twoSpaces] = [1, 3, 4];
    const text = (ids: readonly number[], options: object) => {
      const stream = new StreamDetokenizer(vocabulary, rules, options);
      return ids.map((id) => stream.push(id)).join("") + stream.end();
    };
    assert.equal(text([hello, hello], {}), "Hello Hello");
    assert.equal(text([hello, hello], { start: false }), " Hello Hello");
    assert.equal(text([bos, hello], { special: false }), "Hello");
    assert.equal(text([bos, hello], {}), "<s> Hello");
    assert.equal(text([twoSpaces], {}), " a");
  });

  test("added tokens are written as they are, although their letters spell bytes", () => {
    const stream = byteStream();
    assert.equal(stream.push(256 + 4), "<ø>");
  });
});
