// Kept packed weights are used as long as LAYOUT_VERSION stands: whatever changes their bytes has to raise it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  GROUP_ROWS,
  LAYOUT_VERSION,
  type PackedFormat,
  layouts,
  packedBytes,
} from "../../src/device/cpu/packed-layouts.ts";
import { memoryTarget } from "../../src/device/cpu/weight-targets.ts";
import { fillImage, placeWeights } from "../../src/device/cpu/weights.ts";
import { packGroup } from "./pack-group.ts";
import { memoryStore, randomParameter } from "./stores.ts";

/** SHA-256 of the image that `imageOf` makes, by version. A row is added, never changed: files of a version are out there. */
const known: Readonly<Record<number, string>> = {
  2: "553e3fd811544071e0cca2d27c8cc45d0ea955922fc435777db44accb1a29f31",
  3: "17086a97f00660cf18526313771728b92a2bd3f3036efcf9847ec4bfa0712da2",
};

const ROWS = 19; // a whole group and a part of one
const formats = Object.keys(layouts) as PackedFormat[];
const parameters = Object.fromEntries([
  ...formats.map((format, i) => [format, randomParameter(i + 1, format, ROWS, 512)] as const),
  ["gain", randomParameter(50, "bf16", 1, 100)],
  ["both", randomParameter(51, "f64", 3, 64)],
]);

/** An image with every packed format and plain forms, some weights read whole and some by row; packed by the plain loops. */
async function imageOf(): Promise<Uint8Array> {
  const store = memoryStore(parameters);
  const image = placeWeights(store.parameters, {
    packed: new Set([...formats, "both"]),
    plain: new Set(["gain", "both"]),
    whole: new Set(formats.filter((_, i) => i % 3 > 0)),
  });
  const bytes = new Uint8Array(image.bytes);
  const staging = [0, 1].map((address) => ({ address, view: new Uint8Array(1 << 17) })) as [Staging, Staging];
  const target = memoryTarget(image.bytes, (offset, length) => ({
    address: offset,
    view: bytes.subarray(offset, offset + length),
  }));
  await fillImage(
    store,
    image.forms,
    target,
    staging,
    async ({ format, source, target: at, rows, blocks }) => {
      const layout = layouts[format];
      const groupBytes = packedBytes(format, GROUP_ROWS, blocks * layout.columns);
      for (let row = 0, out = at; row < rows; row += GROUP_ROWS, out += groupBytes) {
        const stored = staging[source].view.subarray(row * blocks * layout.bytes);
        const packed = bytes.subarray(out, out + groupBytes);
        packGroup(layout, stored, Math.min(GROUP_ROWS, rows - row), blocks, packed);
      }
    },
    {},
  );
  return bytes;
}

type Staging = Parameters<typeof fillImage>[3][0];

test("the bytes of packed weights are those of their version", async () => {
  const hash = createHash("sha256")
    .update(await imageOf())
    .digest("hex");
  const hint = `Packed weights are other bytes than before: raise LAYOUT_VERSION (packed-layouts.ts) and add a row, ${hash}.`;
  assert.equal(known[LAYOUT_VERSION], hash, hint);
});
