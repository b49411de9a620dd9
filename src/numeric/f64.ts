// f64 weights: IEEE 754 double precision; decoding rounds to f32 (nearest, ties to even).
import { blockFormat } from "./block-format.ts";

export const f64 = blockFormat({
  name: "f64",
  ggmlType: 28,
  blockSize: 1,
  blockBytes: 8,
  decodeBlocks(bytes, values) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < values.length; i++) values[i] = view.getFloat64(8 * i, true);
  },
  encodeBlocks(values, bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < values.length; i++) view.setFloat64(8 * i, values[i], true);
  },
});
