import assert from "node:assert/strict";
import { test } from "node:test";
import { uniform } from "../base/random.ts";
import { StopStrings } from "./stop-strings.ts";
import type { StreamPart } from "./stop-strings.ts";

/** Every character as a part whose item is its place. */
function characters(text: string): StreamPart<number>[] {
  return text.split("").map((character, place) => ({ text: character, items: [place] }));
}

function run(stops: string[], parts: readonly StreamPart<number>[]): { text: string; items: number[]; found?: string } {
  const filter = new StopStrings<number>(stops);
  const given = parts.map((part) => filter.push(part));
  given.push(filter.end());
  return {
    text: given.map(({ text }) => text).join(""),
    items: given.flatMap(({ items }) => items),
    ...(filter.found !== undefined && { found: filter.found }),
  };
}

test("stops before the first stop string, even split over several parts, and drops its items", () => {
  const parts = ["Hello ", "wo", "rld\nUs", "er: ", "x"].map((text, place) => ({ text, items: [place] }));
  assert.deepEqual(run(["\nUser:"], parts), { text: "Hello world", items: [0, 1, 2], found: "\nUser:" });
});

test("holds back only the longest possible beginning of a stop string", () => {
  const filter = new StopStrings<number>(["<end>"]);
  assert.equal(filter.push({ text: "a<", items: [0] }).text, "a");
  assert.equal(filter.push({ text: "e", items: [1] }).text, "");
  assert.equal(filter.push({ text: "x<e", items: [2] }).text, "<ex");
  assert.equal(filter.end().text, "<e");
});

test("items come with the first of their text, and those without text in their place", () => {
  const filter = new StopStrings<string>(["STOP"]);
  assert.deepEqual(filter.push({ text: "aS", items: ["aS"] }), { text: "a", items: ["aS"] });
  assert.deepEqual(filter.push({ text: "", items: ["silent"] }), { text: "", items: [] });
  assert.deepEqual(filter.push({ text: "Tb", items: ["Tb"] }), { text: "STb", items: ["silent", "Tb"] });
  assert.deepEqual(filter.push({ text: "", items: ["last"] }), { text: "", items: ["last"] });
});

test("the stop string that is complete first ends the text; of two at once, the longer", () => {
  assert.deepEqual(run(["abcd", "bc"], characters("xabcd")), { text: "xa", items: [0, 1], found: "bc" });
  assert.deepEqual(run(["bc", "abc"], [{ text: "xabcd", items: [0] }]), { text: "x", items: [0], found: "abc" });
});

test("without stop strings, or with empty ones, all text comes at once", () => {
  const filter = new StopStrings<number>([""]);
  assert.equal(filter.push({ text: "abc", items: [] }).text, "abc");
});

test("cutting the stream anywhere never changes text, items or the stop string found (2,000 seeded cases)", () => {
  for (let round = 0; round < 2000; round++) {
    let draws = 0;
    const draw = (below: number): number => Math.floor(uniform(round, 1, draws++) * below);
    const word = (length: number): string => Array.from({ length }, () => "ab<"[draw(3)]).join("");
    const stops = Array.from({ length: 1 + draw(3) }, () => word(1 + draw(4)));
    const text = word(draw(24));
    const whole = run(stops, characters(text));
    // items: the places of characters before the cut
    assert.deepEqual(
      whole.items,
      Array.from(whole.text, (_, place) => place),
    );
    const parts: StreamPart<number>[] = [];
    for (let start = 0; start < text.length;) {
      const end = start + draw(4);
      const slice = text.slice(start, end);
      parts.push({ text: slice, items: Array.from(slice, (_, index) => start + index) });
      start += slice.length;
    }
    const cut = run(stops, parts);
    assert.equal(cut.text, whole.text);
    assert.equal(cut.found, whole.found);
    assert.equal(text.startsWith(cut.text), true);
  }
});
