// Q5_1: 32 weights in 24 bytes: f16 scale d, f16 minimum m, the fifth bits (u32), 16 bytes of nibbles; w = d * q + m.
import { blockFormat } from "./block-format.ts";
import { fiveBits, packFive } from "./five-bits.ts";
import { f16At, storeF16 } from "./f16.ts";
import { inverse, range, truncate } from "./rounding.ts";

export const q5_1 = blockFormat({
  name: "q5_1",
  ggmlType: 7,
  blockSize: 32,
  blockBytes: 24,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 24, out += 32) {
      const d = f16At(bytes, at);
      const m = f16At(bytes, at + 2);
      for (let i = 0; i < 32; i++) values[out + i] = Math.fround(d * fiveBits(bytes, at + 4, i)) + m;
    }
  },
  encodeBlocks(values, bytes) {
    for (let at = 0, from = 0; from < values.length; at += 24, from += 32) {
      const { min, max } = range(values, from);
      const d = Math.fround(Math.fround(max - min) / 31);
      const id = inverse(d);
      storeF16(bytes, at, d);
      storeF16(bytes, at + 2, min);
      packFive(bytes, at + 4, (i) =>
        truncate(Math.fround(Math.fround(Math.fround(values[from + i] - min) * id) + 0.5), 31),
      );
    }
  },
});
