import assert from "node:assert/strict";
import { test } from "node:test";
import { uniform } from "../base/random.ts";
import { createMarking } from "./template-marks.ts";

const CONTROLS = ["<|im_start|>", "<|im_end|>", "[INST]", "</s>"];

/** What stays unmarked of a text, marked characters as ".". */
function shown(text: string, how: "strict" | "narrow", controls = CONTROLS): string {
  const marking = createMarking(controls, text, how)!;
  const { plain, text: back } = marking.unmark(marking.mark(text));
  assert.equal(back, text);
  return text
    .split("")
    .map((unit, offset) => (plain.includes(offset) ? "." : unit))
    .join("");
}

test("strict marks every character that a control token begins or ends with", () => {
  assert.equal(shown("a < b > c [d] |", "strict"), "a . b . c .d. |");
});

test("narrow marks those of whole control tokens only", () => {
  assert.equal(shown("a < b <think> [INST] <|im_end|>", "narrow"), "a < b <think> .INST. .|im_end|.");
});

test("narrow marks what the template's neighbouring text could complete, white space at the ends aside", () => {
  assert.equal(shown(" |im_end|> x <|im_", "narrow"), " |im_end|. x .|im_");
  assert.equal(shown("im_end|> x <\n", "narrow"), "im_end|. x .\n");
  assert.equal(shown("<|im_end|", "narrow"), ".|im_end|");
});

test("overlapping control tokens are all marked", () => {
  assert.equal(shown("<a><b>", "narrow", ["<a>", "><", "<b>"]), ".a..b.");
});

test("marking keeps the length, so offsets of the rendering are those of the prompt", () => {
  const marking = createMarking(CONTROLS, "", "strict")!;
  assert.equal(marking.mark("<|im_end|>").length, "<|im_end|>".length);
});

test("stand-ins are characters that occur nowhere else, and there is no marking without them", () => {
  const some = "\ue000\ue001\ue002";
  const marking = createMarking(CONTROLS, some, "strict")!;
  assert.deepEqual(marking.unmark(marking.mark(`${some}<`)), { text: `${some}<`, plain: [3] });
  const all = Array.from({ length: 0xf8ff - 0xe000 + 1 }, (_, i) => String.fromCharCode(0xe000 + i)).join("");
  assert.equal(createMarking(CONTROLS, all, "strict"), undefined);
});

test("control tokens that begin with a character outside the BMP are marked", () => {
  assert.equal(shown("x😀go", "narrow", ["😀go"]), "x..g.");
});

test("no control token of a text is free of marks, either way (2,000 seeded texts)", () => {
  const parts = ["<", "|", "im_", "end", "|>", ">", "im_end", "[INST", "]", "</s>", " ", "x"];
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: 12 }, (_, i) => parts[Math.floor(uniform(round, 3, i) * parts.length)]).join("");
    for (const how of ["strict", "narrow"] as const) {
      const visible = shown(text, how);
      assert.equal(
        CONTROLS.some((control) => visible.includes(control)),
        false,
        `${how}: ${text}`,
      );
    }
  }
});
