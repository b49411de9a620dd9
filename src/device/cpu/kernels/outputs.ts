// How the last outputs of a row are stored, and what belongs to them is read, where there are fewer than registers have.
import type { Floats, Int, KernelBuilder } from "../../../lanes/index.ts";
import { FLOAT_BYTES } from "./loops.ts";

/** Stores the first `count` lanes, or all where that is more. Uses the first register of scratch. */
export function storeUpTo(k: KernelBuilder, out: Int, value: Floats, count: Int | number): void {
  const all = (): void => out.store(value);
  const some = (): void => {
    k.scratch.store(value);
    const bytes = typeof count === "number" ? count * FLOAT_BYTES : count.mul(FLOAT_BYTES);
    k.range(0, bytes, FLOAT_BYTES, (at) => out.add(at).store(k.scratch.add(at).loadFloat()));
  };
  if (typeof count !== "number") k.when(count.less(k.lanes), some, all);
  else if (count < k.lanes) some();
  else all();
}

/**
 * Byte offsets from which registers of what `count` outputs have each are read: past the last output the last register
 * once more, since memory may end there.
 */
export function registersThatAre(k: KernelBuilder, count: Int, registers: number): Int[] {
  const last = count.sub(1).and(-k.lanes).mul(FLOAT_BYTES);
  return Array.from({ length: registers }, (_, n) => k.int(n * k.lanes * FLOAT_BYTES).min(last));
}
