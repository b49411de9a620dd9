import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FormatError } from "../base/errors.ts";
import { philox, uniform } from "../base/random.ts";
import { Charsmap } from "./charsmap.ts";

/**
 * A compiled map with the rules a → "x", ab → "y": units in darts-clone's layout, laid out by hand.
 * The root's offset is 0x100: "a" (0x61) leads to 0x161, whose offset 0x200 holds its leaf; "b" below leads to 0x262.
 */
function smallMap(): Uint8Array {
  const units = new Uint32Array(0x400);
  const LEAF = 1 << 8;
  const node = (label: number, offset: number, flags: number) => ((offset << 10) | flags | label) >>> 0;
  units[0] = node(0, 0x100, 0);
  units[0x100 ^ 0x61] = node(0x61, 0x100 ^ 0x61 ^ 0x200, LEAF);
  units[0x200] = 0x80000000; // leaf: replacement at 0
  units[0x200 ^ 0x62] = node(0x62, 0x200 ^ 0x62 ^ 0x300, LEAF);
  units[0x300] = 0x80000002; // leaf: replacement at 2
  const texts = new TextEncoder().encode("x\0y\0");
  const bytes = new Uint8Array(4 + units.byteLength + texts.length);
  new DataView(bytes.buffer).setUint32(0, units.byteLength, true);
  bytes.set(new Uint8Array(units.buffer), 4);
  bytes.set(texts, 4 + units.byteLength);
  return bytes;
}

describe("compiled normalisation rules", () => {
  test("the longest rule, or the shortest, and where it ends", () => {
    const map = new Charsmap(smallMap(), "test");
    assert.deepEqual([map.longest("zab", 1), map.end], ["y", 3]);
    assert.deepEqual([map.shortest("zab", 1, 3), map.end], ["x", 2]);
    assert.deepEqual([map.longest("ac", 0), map.end], ["x", 1]);
    for (const [text, at] of [
      ["b", 0],
      ["é", 0],
      ["😀", 0],
      ["a", 1],
    ] as const) {
      assert.equal(map.longest(text, at), undefined);
    }
  });

  test("a map cut short is refused", () => {
    const bytes = smallMap();
    for (const length of [0, 3, 4, 100, 4 + 0x1000 - 1]) {
      assert.throws(() => new Charsmap(bytes.subarray(0, length), "test"), FormatError);
    }
  });

  test("2,000 damaged maps give a text or a FormatError, nothing else", () => {
    for (let seed = 0; seed < 2000; seed++) {
      const bytes = smallMap();
      for (let i = 0; i < 8; i++) {
        const [value] = philox(seed, 1, i);
        bytes[Math.floor(uniform(seed, 0, i) * bytes.length)] = value & 0xff;
        // and near the nodes that are walked, which chance seldom hits
        bytes[4 + 4 * [0, 0x161, 0x200, 0x262, 0x300][i % 5] + (value >>> 30)] ^= value & (seed % 3 === 0 ? 0xff : 0);
      }
      try {
        const map = new Charsmap(bytes, "test");
        for (const text of ["ab", "aab", "é中😀"]) {
          for (let at = 0; at < text.length; at++) {
            const replacement = map.longest(text, at);
            assert.ok(replacement === undefined || (map.end > at && map.end <= text.length));
          }
        }
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }
  });
});
