// Q8_0: 32 weights in 34 bytes: f16 scale d, 32 signed bytes; w = d * q.
import { blockFormat } from "./block-format.ts";
import { f16At, storeF16 } from "./f16.ts";
import { extreme, inverse, roundAway } from "./rounding.ts";

export const q8_0 = blockFormat({
  name: "q8_0",
  ggmlType: 8,
  blockSize: 32,
  blockBytes: 34,
  decodeBlocks(bytes, values) {
    const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, out = 0; out < values.length; at += 34, out += 32) {
      const d = f16At(bytes, at);
      for (let i = 0; i < 32; i++) values[out + i] = d * codes[at + 2 + i];
    }
  },
  encodeBlocks(values, bytes) {
    for (let at = 0, from = 0; from < values.length; at += 34, from += 32) {
      const d = Math.fround(Math.abs(extreme(values, from)) / 127);
      const id = inverse(d);
      storeF16(bytes, at, d);
      for (let i = 0; i < 32; i++) bytes[at + 2 + i] = roundAway(Math.fround(values[from + i] * id));
    }
  },
});
