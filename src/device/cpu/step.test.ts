// Counts are whole: a record's words are integers, and what a count loses by rounding is rows that nobody computes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ShapeError } from "../../base/errors.ts";
import { setWord } from "./program.ts";
import { countOf, floatWord, valueOf } from "./step.ts";

const rows = { name: "rows", bound: 8 };

describe("counts", () => {
  it("are elements, of which one extent is known at a run", () => {
    assert.equal(valueOf(countOf([rows, 6], 2), { rows: 3 }), 36);
    assert.equal(valueOf(countOf([4, 6]), {}), 24);
  });

  it("that are not whole are refused, and so are such words", () => {
    assert.throws(() => countOf([rows, 49], 1 / 49), ShapeError); // 49 / 49 is a little less than 1 this way
    assert.throws(() => setWord(new Int32Array(2), 8, 0, 2.5), ShapeError);
    assert.throws(() => setWord(new Int32Array(2), 8, 0, NaN), ShapeError);
  });

  it("and bits of floats are words", () => {
    const words = new Int32Array(1);
    for (const value of [1e-5, -0, -1]) {
      setWord(words, 4, 0, floatWord(value));
      assert.ok(Object.is(new Float32Array(words.buffer)[0], Math.fround(value)));
    }
  });
});
