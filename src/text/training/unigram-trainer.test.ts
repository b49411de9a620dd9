// Sums over all cuts against listing every cut, and what training keeps.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { characterFill } from "./character-cells.ts";
import { PieceCounts } from "./piece-counts.ts";
import { PieceTrie } from "./piece-trie.ts";
import { layOutPieces, type SymbolCells } from "./symbol-cells.ts";
import { UnigramLattice, WORD_LENGTH_MAX } from "./unigram-lattice.ts";
import { findSeeds, PIECE_LENGTH_MAX } from "./unigram-seeds.ts";
import { digamma, learnUnigram } from "./unigram-trainer.ts";

const ALPHABET = "abcd";
const PIECES = ["a", "b", "c", "d", "ab", "bc", "abc", "ca", "dd", "ddd"];
const SCORES = Float64Array.from(PIECES, (_, i) => Math.log(0.02 + 0.03 * i));
const symbolsOf = (text: string): number[] => Array.from(text, (character) => ALPHABET.indexOf(character));

function lattice(natsPerCharacter: number): UnigramLattice {
  const trie = new PieceTrie();
  for (const [piece, text] of PIECES.entries()) trie.add(symbolsOf(text), 0, text.length, piece);
  const lengths = Int32Array.from(PIECES, (text) => text.length);
  return new UnigramLattice(trie, SCORES, lengths, natsPerCharacter);
}

/** Every way to cut a word. */
function allCuts(word: string): number[][] {
  if (word === "") return [[]];
  return [...PIECES.entries()].flatMap(([piece, text]) =>
    word.startsWith(text) ? allCuts(word.slice(text.length)).map((rest) => [piece, ...rest]) : [],
  );
}

const scoreOf = (cut: readonly number[]): number => cut.reduce((sum, piece) => sum + SCORES[piece], 0);

function corpusOf(words: Readonly<Record<string, number>>, alphabet: string): SymbolCells {
  const pieces = new PieceCounts();
  for (const [word, count] of Object.entries(words)) pieces.add(word, 0, word.length, count);
  return layOutPieces(pieces, characterFill(Array.from(alphabet)), 1, alphabet.length);
}

describe("the lattice of a word", () => {
  for (const word of ["a", "abc", "abcabc", "ddddd", "dabcabddca"]) {
    test(`expects pieces as often as all cuts together have them (${word})`, () => {
      const cuts = allCuts(word);
      const total = cuts.reduce((sum, cut) => sum + Math.exp(scoreOf(cut)), 0);
      const wanted = new Float64Array(PIECES.length);
      for (const cut of cuts) for (const piece of cut) wanted[piece] += (3 * Math.exp(scoreOf(cut))) / total;
      for (const nats of [0, 1.5]) {
        const expected = new Float64Array(PIECES.length);
        const likelihood = lattice(nats).expect(symbolsOf(word), 0, word.length, 3, expected);
        for (const [piece, value] of wanted.entries())
          assert.ok(Math.abs(value - expected[piece]) < 1e-12, PIECES[piece]);
        assert.ok(Math.abs(likelihood - nats * word.length - Math.log(total)) < 1e-12);
      }
    });

    test(`finds the best cut, and the best without one piece (${word})`, () => {
      for (const except of [-1, PIECES.indexOf("abc")]) {
        const cuts = allCuts(word).filter((cut) => !cut.includes(except));
        const found: number[] = [];
        lattice(0).best(symbolsOf(word), 0, word.length, (piece) => found.unshift(piece), except);
        assert.ok(Math.abs(scoreOf(found) - Math.max(...cuts.map(scoreOf))) < 1e-12);
        assert.equal(found.map((piece) => PIECES[piece]).join(""), word);
      }
    });
  }
});

describe("seeds", () => {
  test("are the substrings that occur twice, without those that always go on in the same way", () => {
    const words = { abcab: 2, cabd: 1, bb: 1 };
    const counts = new Map<string, number>();
    for (const [word, count] of Object.entries(words)) {
      for (let from = 0; from < word.length; from++) {
        for (let end = from + 2; end <= Math.min(word.length, from + PIECE_LENGTH_MAX); end++) {
          const part = word.slice(from, end);
          counts.set(part, (counts.get(part) ?? 0) + count);
        }
      }
    }
    const wanted = [...counts].filter(
      ([part, count]) =>
        count >= 2 && ![...counts].some(([other, more]) => other.slice(0, -1) === part && more === count),
    );
    const corpus = corpusOf(words, ALPHABET);
    const found = findSeeds(corpus, 2, 100).map(({ at, length, count }): [string, number] => [
      Array.from(corpus.cells.subarray(at, at + length), (symbol) => ALPHABET[symbol]).join(""),
      count,
    ]);
    assert.deepEqual(new Map(found), new Map(wanted));
  });
});

describe("a unigram vocabulary", () => {
  const corpus = corpusOf({ running: 40, runner: 30, walking: 50, walker: 20, singing: 35, xz: 1 }, "rungewalkisxz");

  test("has all characters, and as many pieces as asked for, by falling score", () => {
    const pieces = learnUnigram(corpus, { alphabetCount: 13, piecesMax: 18, countMin: 2 });
    assert.equal(pieces.length, 18);
    assert.equal(pieces.filter(({ symbols }) => symbols.length === 1).length, 13);
    for (let i = 1; i < pieces.length; i++) assert.ok(pieces[i - 1].score >= pieces[i].score);
  });

  test("spells frequent words in fewer pieces than characters", () => {
    const pieces = learnUnigram(corpus, { alphabetCount: 13, piecesMax: 20, countMin: 2 });
    const texts = pieces.map(({ symbols }) => symbols.map((symbol) => "rungewalkisxz"[symbol]).join(""));
    assert.ok(
      texts.some((text) => "walking".includes(text) && text.length > 2),
      texts.join(" "),
    );
  });

  test("comes out of words longer than a lattice", () => {
    const word = "ab".repeat(WORD_LENGTH_MAX);
    const pieces = learnUnigram(corpusOf({ [word]: 2 }, "ab"), { alphabetCount: 2, piecesMax: 6, countMin: 2 });
    for (const { score } of pieces) assert.ok(Number.isFinite(score));
  });
});

test("digamma is the logarithm's neighbour that the tables have", () => {
  // Abramowitz and Stegun: psi(1) is minus Euler's constant, psi(1/2) = -gamma - 2 ln 2
  assert.ok(Math.abs(digamma(1) + 0.5772156649015329) < 1e-9);
  assert.ok(Math.abs(digamma(0.5) + 0.5772156649015329 + 2 * Math.LN2) < 1e-9);
});
