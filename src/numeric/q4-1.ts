// Q4_1: 32 weights in 20 bytes: f16 scale d, f16 minimum m, 16 bytes of nibbles; w = d * q + m.
import { blockFormat, nibble } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { inverse, pack, range, truncate } from "./rounding.ts";

export const q4_1 = blockFormat({
  name: "q4_1",
  ggmlType: 3,
  blockSize: 32,
  blockBytes: 20,
  decodeBlocks(bytes, values) {
    for (let at = 0, out = 0; out < values.length; at += 20, out += 32) {
      const d = f16At(bytes, at);
      const m = f16At(bytes, at + 2);
      for (let i = 0; i < 32; i++) values[out + i] = Math.fround(d * nibble(bytes, at + 4, i)) + m;
    }
  },
  encodeBlocks(values, bytes) {
    for (let at = 0, from = 0; from < values.length; at += 20, from += 32) {
      const { min, max } = range(values, from);
      const d = Math.fround(Math.fround(max - min) / 15);
      const id = inverse(d);
      storeF16(bytes, at, d);
      storeF16(bytes, at + 2, min);
      pack(bytes, at + 4, (i) =>
        truncate(Math.fround(Math.fround(Math.fround(values[from + i] - min) * id) + 0.5), 15),
      );
    }
  },
});
