// The step that brings a value to the forms in which products in tile registers read it (kernels/tile-forms.ts).
import type { ExtentValues, Size } from "../../graph/index.ts";
import { PARTS_MAX } from "./control.ts";
import { sumStride } from "./kernels/sums.ts";
import {
  type FormSource,
  type TileFormName,
  expressionSource,
  formParts,
  tileFormsKernel,
} from "./kernels/tile-forms.ts";
import { type Place, type Step, type Word, countOf, valueOf } from "./step.ts";

/** Rows and columns of a value. */
export interface MatrixSize {
  readonly rows: Size;
  readonly width: Size;
}

/** Places of a value's forms, and of the sums of its blocks of rows. */
export interface FormPlaces {
  readonly forms: ReadonlyMap<TileFormName, Place>;
  readonly sums?: Place | undefined;
  /** f32, as it is. */
  readonly floats?: Place | undefined;
}

/** The step of a source whose results go to those places; `words`: the source's. */
export function formedStep(
  source: FormSource,
  results: readonly FormPlaces[],
  words: Readonly<Record<string, Word>>,
  { rows, width }: MatrixSize,
): Step {
  const formed = results.map(({ forms, sums, floats }) => ({
    floats: floats !== undefined,
    forms: [...forms.keys()].sort(),
    sums: sums !== undefined,
  }));
  const places = results.flatMap(({ forms, sums, floats }, i): [string, Place][] => [
    ...(floats === undefined ? [] : [[`out${i}`, floats] as [string, Place]]),
    ...[...forms].map(([form, place]): [string, Place] => [`${form}${i}`, place]),
    ...(sums === undefined ? [] : [[`sums${i}`, sums] as [string, Place]]),
  ]);
  const [rowCount, columnCount] = [countOf([rows]), countOf([width])];
  return {
    kernel: tileFormsKernel(source, formed),
    words: {
      ...words,
      ...Object.fromEntries(places),
      rows: rowCount,
      width: columnCount,
      stride: typeof width === "number" ? sumStride(width) : 0, // what has sums has a fixed width
    },
    parts: (extents: ExtentValues) =>
      Math.min(formParts(valueOf(rowCount, extents), valueOf(columnCount, extents)), PARTS_MAX),
  };
}

const asItIs = expressionSource({ values: [{ kind: "operand", reach: "each" }], results: [0] });

/** The step that brings f32 to forms as it is. */
export const tileFormsStep = (x: Place, size: MatrixSize, forms: FormPlaces["forms"], sums?: Place): Step =>
  formedStep(asItIs, [{ forms, sums }], { x0: x }, size);
