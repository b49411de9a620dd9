// Groups of element-by-element values that products in tile registers read: brought to their forms as they are computed, and
// kept as f32 only where somebody reads them so.
import type { Tensor } from "../../graph/index.ts";
import { type Group, isAssign, shapeOf } from "./elementwise-groups.ts";
import { expressionSource } from "./kernels/tile-forms.ts";
import { expressionOf } from "./lower-elementwise.ts";
import type { Lowering } from "./lowering.ts";
import type { Place } from "./step.ts";
import { type FormPlaces, formedStep } from "./tile-forms.ts";
import { type Asked, askedOf, placesOf } from "./tile-operands.ts";

/** Computes a group in one step, if a member of it is asked for in forms. */
export function lowerFormedGroup(group: Group, lowering: Lowering): boolean {
  const [rows, width] = shapeOf(group);
  if (width === undefined || (group.width > 0 && group.width !== width)) return false;
  const asked = new Map<Tensor, Asked>([...group.members].map((member) => [member, askedOf(member, lowering)]));
  if (![...asked].some(([member, { forms }]) => !isAssign(member) && forms.size > 0)) return false;
  const { values, words, indices } = expressionOf(group, lowering);
  const [formed, results]: [FormPlaces[], number[]] = [[], []];
  const stored = new Map<Place, number>();
  for (const [member, value] of indices) {
    const { others, ...wanted } = asked.get(member) as Asked;
    if (!isAssign(member) && wanted.forms.size > 0) {
      formed.push(placesOf(member, wanted, lowering));
      results.push(value);
    }
    if (isAssign(member) || others?.every((reader) => group.members.has(reader)) !== true) {
      stored.set(lowering.place(member), value);
    }
  }
  for (const [floats, value] of stored) {
    formed.push({ forms: new Map<never, Place>(), floats });
    results.push(value);
  }
  lowering.step(formedStep(expressionSource({ values, results }), formed, words, { rows, width }));
  return true;
}
