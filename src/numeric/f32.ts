// f32 weights: IEEE 754 single precision, as they are.
import { blockFormat } from "./block-format.ts";

export const f32 = blockFormat({
  name: "f32",
  ggmlType: 0,
  blockSize: 1,
  blockBytes: 4,
  decodeBlocks(bytes, values) {
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes);
  },
  encodeBlocks(values, bytes) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  },
});
