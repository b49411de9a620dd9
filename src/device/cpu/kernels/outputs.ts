// How the last outputs of a row are stored, where there are fewer of them than a register has.
import type { Floats, Int, KernelBuilder } from "../../../lanes/index.ts";
import { FLOAT_BYTES } from "./loops.ts";

/** Stores the first `count` lanes, or all where that is more. Uses the first bytes of scratch. */
export function storeUpTo(k: KernelBuilder, out: Int, value: Floats, count: Int): void {
  k.when(
    count.less(k.lanes),
    () => {
      k.scratch.store(value);
      k.range(0, count.mul(FLOAT_BYTES), FLOAT_BYTES, (at) => {
        out.add(at).store(k.scratch.add(at).loadFloat());
      });
    },
    () => out.store(value),
  );
}
