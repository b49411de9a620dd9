// Texts cut into chunks give the pieces of the whole, by every pre-tokenizer there is; chunks of a file join to the file.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { preTokenizerNames } from "../pre-tokenizers.ts";
import { preTokenizerJson } from "../pre-tokenizer-json.ts";
import { cutBetweenCharacters, cutBetweenLines, cutBetweenPieces, type FindCut } from "./cuts.ts";
import { PieceCounts } from "./piece-counts.ts";
import { PieceReader, type Pipeline } from "./piece-reader.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Everything that a rule looks at, next to everything else. */
const PARTS = [
  ...Array.from("aZé中あア한яαمहก𝒳 1²٣ \n\r\t'’.,，。!?/_-–()[]{}“”$+^~`|\u00a0\u3000\u0301\u200d😀\u2028"),
  "'s",
  "'LL",
  "\r\n",
  "  ",
  "\n\n",
  "123",
  "https://",
  "、",
  "？\n",
];

function randomText(random: () => number, length: number): string {
  return Array.from({ length }, () => PARTS[Math.floor(random() * PARTS.length)]).join("");
}

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Cuts at every place there is. */
function parts(text: string, findCut: FindCut): string[] {
  const bytes = encoder.encode(text);
  const found: string[] = [];
  for (let from = 0; from < bytes.length;) {
    const cut = findCut(bytes, from, bytes.length);
    const end = cut < 0 ? bytes.length : cut;
    found.push(decoder.decode(bytes.subarray(from, end)));
    from = end;
  }
  return found;
}

function counted(texts: readonly string[], pipeline: Pipeline): Map<string, number> {
  const reader = new PieceReader(pipeline);
  const pieces = new PieceCounts();
  for (const text of texts) reader.count(text, pieces);
  return new Map(Array.from({ length: pieces.size }, (_, i) => [pieces.text(i), pieces.counts[i]]));
}

describe("cutting a text changes none of its pieces", () => {
  for (const name of preTokenizerNames()) {
    test(`as ${name} cuts them`, () => {
      const pipeline: Pipeline = { normalizer: null, preTokenizer: preTokenizerJson(name).component, unit: "file" };
      const random = randomNumbers(name.length + 1);
      for (let round = 0; round < 40; round++) {
        const text = randomText(random, 80);
        assert.deepEqual(
          counted(parts(text, cutBetweenPieces), pipeline),
          counted([text], pipeline),
          JSON.stringify(text),
        );
      }
    });
  }

  test("as BERT cuts them", () => {
    const normalizer = {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    };
    const pipeline: Pipeline = { normalizer, preTokenizer: { type: "BertPreTokenizer" }, unit: "file" };
    const random = randomNumbers(5);
    for (let round = 0; round < 60; round++) {
      const text = randomText(random, 80);
      assert.deepEqual(
        counted(parts(text, cutBetweenPieces), pipeline),
        counted([text], pipeline),
        JSON.stringify(text),
      );
    }
  });
});

describe("cuts", () => {
  test("come after a letter or number, before a blank, a line feed, a Chinese comma or full stop", () => {
    assert.deepEqual(parts("One two, 3 vier\nпять。六，七 !\n 8", cutBetweenPieces), [
      "One",
      " two, 3",
      " vier",
      "\nпять",
      "。六",
      "，七",
      " !\n 8",
    ]);
  });

  test("come after line feeds, or at every character", () => {
    assert.deepEqual(parts("a\n\nb", cutBetweenLines), ["a\n", "\n", "b"]);
    assert.deepEqual(parts("aé中😀", cutBetweenCharacters), ["a", "é", "中", "😀"]);
  });

  test("are the same whatever place before them the search begins at", () => {
    const random = randomNumbers(11);
    for (let round = 0; round < 50; round++) {
      const bytes = encoder.encode(randomText(random, 40));
      const first = cutBetweenPieces(bytes, 0, bytes.length);
      // from inside the letter before the cut on it is another one
      for (let from = 0; from < first - 4; from++) assert.equal(cutBetweenPieces(bytes, from, bytes.length), first);
    }
  });
});
