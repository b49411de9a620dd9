// Where a layer's keys and values lie in its pages, for the kernels that write and read them. Each key-value head has a
// plane of its own for all slots, so that a sequence whose pages lie side by side is one run of bytes. A plane of values
// has a row a slot, (S, D). Keys stand the other way round: B neighbouring slots share a block (D, B), so that one
// register holds one column of several keys, a score is a sum of registers, and no sum runs across lanes. B is 16 where
// pages are cut so; with odd page sizes it is what divides them, and readers bring blocks of 16 keys together first.
// Where a head's values are its keys there is one plane for both, which lies as values do: B is 1.
// Rows and blocks of quantized numbers: quantized-rows.ts.
import { type StateType, isQuantized } from "../../../graph/index.ts";
import { type Floats, type Int, type KernelBuilder, loadF16, toF16Bits } from "../../../lanes/index.ts";
import { F16_MOST } from "../../../numeric/f16.ts";
import { bytesForRow } from "../../../numeric/registry.ts";

/** Keys that a reader takes at once: a block. */
export const BLOCK_KEYS = 16;

/** Types whose numbers lie each for itself. */
export type PlainType = "f16" | "f32";
export const plainBytes: Readonly<Record<PlainType, number>> = { f16: 2, f32: 4 };

export interface CacheShape {
  readonly type: StateType;
  /** G and D. */
  readonly kvHeads: number;
  readonly headSize: number;
  readonly pageSize: number;
  /** Whether values are the keys: one state, which is written once. */
  readonly valuesAreKeys: boolean;
}

/** B: slots of a block of keys, the largest power of two up to 16 that divides a page; of quantized ones 16 or 1. */
export function blockSlots({ type, pageSize, valuesAreKeys }: CacheShape): number {
  if (valuesAreKeys) return 1;
  let slots = BLOCK_KEYS;
  while (pageSize % slots !== 0) slots /= 2;
  return isQuantized(type) && slots < BLOCK_KEYS ? 1 : slots;
}

/** Quotient and remainder by a constant; a shift where it is a power of two. */
export function divide(x: Int, by: number): { quotient: Int; remainder: Int } {
  if (Number.isInteger(Math.log2(by))) return { quotient: x.shr(Math.log2(by)), remainder: x.and(by - 1) };
  const quotient = x.div(by);
  return { quotient, remainder: x.sub(quotient.mul(by)) };
}

/** W cached numbers as f32. */
export function loadCached(type: PlainType, address: Int, offset = 0): Floats {
  return type === "f16" ? loadF16(address, offset) : address.loadFloats(offset);
}

/**
 * Stores W numbers as f16, those beyond its range as the largest that it has; NaN stays NaN. An infinity, times the weight
 * 0 of a key that a row does not see, would be NaN in rows that came before.
 */
export function storeCachedF16(k: KernelBuilder, to: Int, value: Floats): void {
  const finite = value.min(F16_MOST).max(-F16_MOST);
  if (k.machine.f16) to.storeF16(finite);
  else to.storeHalves(toF16Bits(finite, k));
}

/** Bytes of one head's key, or value. */
export const headBytes = ({ type, headSize }: Pick<CacheShape, "type" | "headSize">): number =>
  bytesForRow(type, headSize);

/** Bytes of a plane: of one head's keys, or values, in `slots` slots. */
export const planeBytes = (shape: CacheShape, slots: number): number => slots * headBytes(shape);

/** The block of keys that has `slot`, and which of its keys that is. */
export function keyPlace(plane: Int, slot: Int, shape: CacheShape): { readonly block: Int; readonly key: Int } {
  const slots = blockSlots(shape);
  const { quotient, remainder } = divide(slot, slots);
  return { block: plane.add(quotient.mul(slots * headBytes(shape))), key: remainder };
}

/** Address of the value at `slot` of a plane: D numbers side by side. */
export const valueAddress = (plane: Int, slot: Int, shape: CacheShape): Int => plane.add(slot.mul(headBytes(shape)));

/** Copies one cached number. */
export function copyCached(type: PlainType, from: Int, to: Int): void {
  if (type === "f16") to.storeHalf(from.loadHalf());
  else to.store(from.loadInt());
}
