// Values as operands of products in tile registers: which forms all who read a value ask for, so that it is brought to them
// at once, where it is computed element by element as it is computed (lower-elementwise.ts), else by a step of its own.
import { type Op, type Tensor, attributesOf, bound } from "../../graph/index.ts";
import { rowAttentionGradientOp, rowAttentionOp, sumRowsOp } from "../../graph/index.ts";
import { isInTiles, liesOf } from "./gemm.ts";
import type { FloatRounding } from "./kernels/gemm-pack-floats.ts";
import { tileOperandBytes } from "./kernels/gemm-pack-tiles.ts";
import { FLOAT_BYTES } from "./kernels/loops.ts";
import { SUM_ROWS, sumStride } from "./kernels/sums.ts";
import type { TileFormName } from "./kernels/tile-forms.ts";
import { STEP_COLUMNS } from "./kernels/tiles.ts";
import type { LowerOptions, Lowering } from "./lowering.ts";
import { isByWeight, isProduct, transpositionOf } from "./patterns.ts";
import type { Place } from "./step.ts";
import { type FormPlaces, tileFormsStep } from "./tile-forms.ts";

/** What operands of products are rounded to. */
export const roundingOf = ({ precision, machine }: LowerOptions): FloatRounding =>
  precision === "fast" && machine.tiles ? "bf16" : "f32";

/** The forms of a product's operands. */
export function productForms(product: Tensor): readonly [TileFormName, TileFormName] {
  const [lieA, lieB] = liesOf(transpositionOf(product));
  return [`rows.${lieA}`, `outer.${lieB}`];
}

/** Whether attention of rows, or its gradient, multiplies in tile registers: a head's columns must be whole steps. */
export function attendsInTiles(node: Tensor, lowering: Lowering): boolean {
  const isGradient = node.op === (rowAttentionGradientOp as Op);
  const { heads } = attributesOf(node, node.op as typeof rowAttentionOp);
  const columns = node.inputs[isGradient ? 2 : 0].shape[1] as number;
  return isInTiles(roundingOf(lowering.options), lowering.options.machine) && (columns / heads) % STEP_COLUMNS === 0;
}

/** Of inputs of attention in tile registers, as far as they are read in forms. */
const attentionForms: Readonly<Record<string, Readonly<Record<number, readonly TileFormName[]>>>> = {
  [rowAttentionOp.name]: { 0: ["rows.along"], 1: ["outer.along"], 2: ["outer.across"] },
  [rowAttentionGradientOp.name]: {
    1: ["rows.along", "rows.across"], // and as f32
    2: ["rows.along", "rows.across"],
    3: ["outer.along", "outer.across"],
    4: ["outer.along"],
  },
};

/** What those who read a value ask for. */
export interface Asked {
  readonly forms: ReadonlySet<TileFormName>;
  /** Sums by column over its rows. */
  readonly sums: boolean;
  /** Who reads it as f32; undefined where the caller does. */
  readonly others: readonly Tensor[] | undefined;
}

export function askedOf(x: Tensor, lowering: Lowering): Asked {
  const forms = new Set<TileFormName>();
  const [others, summed]: [Tensor[], Tensor[]] = [[], []];
  const readers = lowering.readers(x);
  const rounds = isInTiles(roundingOf(lowering.options), lowering.options.machine) && x.shape.length === 2;
  for (const reader of new Set(readers)) {
    for (const [i, input] of reader.inputs.entries()) {
      if (input !== x) continue;
      if (rounds && isProduct(reader) && !isByWeight(reader) && i < 2) forms.add(productForms(reader)[i]);
      else if (rounds && reader.op === (sumRowsOp as Op) && reader.shape[0] === x.shape[1]) summed.push(reader);
      else {
        const asked = rounds && reader.op.name in attentionForms && attendsInTiles(reader, lowering);
        for (const form of asked ? (attentionForms[reader.op.name][i] ?? []) : []) forms.add(form);
        const isRead = !asked || !(i in attentionForms[reader.op.name]) || isReadTwice(reader, i);
        if (isRead) others.push(reader);
      }
    }
  }
  if (forms.size === 0) others.push(...summed); // they find them on their own
  return { forms, sums: forms.size > 0 && summed.length > 0, others: readers === undefined ? undefined : others };
}

/** What flows back to attention is also multiplied by what it gave, in f32. */
const isReadTwice = (reader: Tensor, input: number): boolean =>
  reader.op === (rowAttentionGradientOp as Op) && input === 1;

/** The form in which sums over blocks of rows lie, by column modulo `size`. */
export const rowSumsForm = (size: number): string => `row sums of ${size}`;

/** A place for the sums of blocks of x's rows. */
export const rowSums = (x: Tensor, size: number, lowering: Lowering): Place =>
  lowering.temporary(Math.ceil(bound(x.shape[0]) / SUM_ROWS) * sumStride(size) * FLOAT_BYTES);

/** Places for what is asked of a value, which its step then fills: whoever asks for them from now on finds them there. */
export function placesOf(x: Tensor, { forms, sums }: Pick<Asked, "forms" | "sums">, lowering: Lowering): FormPlaces {
  const [rows, columns] = x.shape.map(bound);
  const placeOf = (form: TileFormName): Place => {
    const [count, summed] = form.endsWith("along") ? [rows, columns] : [columns, rows];
    return lowering.derived(x, form, () => lowering.temporary(tileOperandBytes(count, summed)));
  };
  const places = new Map([...forms].map((form) => [form, placeOf(form)]));
  if (!sums) return { forms: places };
  return { forms: places, sums: lowering.derived(x, rowSumsForm(columns), () => rowSums(x, columns, lowering)) };
}

/** Where x (N, C) lies as an operand: brought there with all other forms that are asked of it. */
export function tileOperand(x: Tensor, form: TileFormName, lowering: Lowering): Place {
  const known = lowering.knownDerived(x, form);
  if (known !== undefined) return known;
  const asked = askedOf(x, lowering);
  const hasSums = lowering.knownDerived(x, rowSumsForm(x.shape[1] as number)) !== undefined;
  const places = placesOf(x, { forms: asked.forms, sums: asked.sums && !hasSums }, lowering);
  const [rows, width] = x.shape;
  lowering.step(tileFormsStep(lowering.place(x), { rows, width }, places.forms, places.sums));
  return places.forms.get(form) as Place;
}
