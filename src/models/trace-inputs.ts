// Inputs of traced forward passes that say what rows are: which ids, at which positions, turned by which angles.
import { type Extent, type Size, type Tensor, input } from "../graph/index.ts";
import { patchColumns } from "./image-tower.ts";
import type { ForwardInputs, Model } from "./model.ts";

/** An input of whole numbers. */
export const whole = (name: string, ...shape: Size[]): Tensor => input(name, shape, "i32");

export type RowInputs = Pick<ForwardInputs, "ids" | "patches" | "positions" | "segments" | "ropes">;

/** The inputs of `rows`, whose names have `prefix` in front. */
export function rowInputs(model: Model, rows: Extent, prefix = ""): RowInputs {
  const ropes = model.ropes.map(({ name, frequencies }) => {
    const turn = (part: string): Tensor => input(`${prefix}rope.${name}.${part}`, [rows, frequencies.length], "f32");
    return [name, { cos: turn("cos"), sin: turn("sin") }] as const;
  });
  return {
    ids: whole(`${prefix}ids`, rows),
    ...(model.imageFormat && { patches: input(`${prefix}patches`, [rows, patchColumns(model.imageFormat)], "f32") }),
    positions: whole(`${prefix}positions`, rows),
    segments: whole(`${prefix}segments`, rows),
    ropes: Object.fromEntries(ropes),
  };
}
