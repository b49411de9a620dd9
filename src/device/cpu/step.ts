// Program steps before they have addresses: a kernel, its record's words, and how many parts a run has. Words that depend
// on extents are written again before a run whose extents differ.
import { ShapeError } from "../../base/errors.ts";
import type { ExtentValues, Shape } from "../../graph/index.ts";
import type { Kernel } from "../../lanes/index.ts";
import { PARTS_MAX } from "./control.ts";

/** Where something lies; layout.ts gives each an address. */
export type Place =
  | { readonly kind: "packed" | "plain" | "state" | "input" | "table" | "output"; readonly name: string }
  | { readonly kind: "arena"; readonly index: number };

/** A count that may depend on one extent: the extent's value (1 without one) times `times`. */
export interface Count {
  readonly extent: string | undefined;
  readonly times: number;
}

export type Word = number | Place | Count;

export interface Step {
  readonly kernel: Kernel;
  readonly words: Readonly<Record<string, Word>>;
  /** 0 skips the step. */
  readonly parts: (extents: ExtentValues) => number;
}

/** Elements of a shape with at most one extent, each times `times`. Throws ShapeError for a count that is not whole. */
export function countOf(shape: Shape, times = 1): Count {
  let extent: string | undefined;
  let count = times;
  for (const size of shape) {
    if (typeof size === "number") count *= size;
    else extent = size.name;
  }
  expectWhole(count);
  return { extent, times: count };
}

export const valueOf = ({ extent, times }: Count, extents: ExtentValues): number =>
  extent === undefined ? times : extents[extent] * times;

/** Throws ShapeError unless `count` is a whole number: records hold no others, and cutting one would leave work undone. */
export function expectWhole(count: number): void {
  if (Number.isSafeInteger(count)) return;
  throw new ShapeError("a word of a kernel's record", count, "a whole number", {
    hint: "Multiply and divide sizes before they are counted, or give the bits of an f32 (floatWord).",
  });
}

/** Parts for `count` units of which at least `least` make a part worth claiming. */
export function partsOf(count: Count, least: number, most = 64): (extents: ExtentValues) => number {
  return (extents) => {
    const units = valueOf(count, extents);
    return units === 0 ? 0 : Math.max(1, Math.min(Math.floor(units / least), most, PARTS_MAX));
  };
}

/** An f32 as the word of a record. */
export function floatWord(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0];
}
