// Files of each format become Pillow's pixels (test/golden/image says what made them), and what is none or too large is refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { FormatError, UsageError } from "../base/errors.ts";
import { PIXELS_MAX, decodePicture } from "./decode.ts";
import { readHeader } from "./header.ts";

interface Golden {
  readonly pictures: readonly {
    readonly name: string;
    readonly file: string;
    readonly width: number;
    readonly height: number;
    readonly rgb: string;
  }[];
}
const path = new URL("../../test/golden/image/pictures.json", import.meta.url);
const { pictures } = JSON.parse(readFileSync(path, "utf8")) as Golden;
const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
const fileOf = (name: string): Uint8Array => bytesOf(pictures.find((picture) => picture.name === name)!.file);

describe("a file gives Pillow's pixels", () => {
  for (const { name, file, width, height, rgb } of pictures) {
    test(name, async () => {
      const found = await decodePicture(bytesOf(file), name);
      assert.deepEqual([found.width, found.height], [width, height]);
      assert.deepEqual(found.rgb, bytesOf(rgb));
      const header = readHeader(bytesOf(file), name);
      assert.equal(header.format, name.split(",")[0]);
      assert.equal(header.width * header.height, width * height); // a turned one has its sides changed
    });
  }
});

test("what is no picture, broken or cut short is refused, and later pictures are decoded as before", async () => {
  const refused = (bytes: Uint8Array, words: RegExp): Promise<void> =>
    assert.rejects(decodePicture(bytes, "f"), (error: unknown) => {
      assert.ok(error instanceof FormatError);
      assert.match(error.message, words);
      return true;
    });
  await refused(
    new TextEncoder().encode("GIF89a, or any text"),
    /the start is "47 49 46 38", expected a PNG, JPEG or WebP/,
  );
  await refused(new Uint8Array(0), /the start/);
  for (const name of ["png", "jpeg, halved colours", "webp"]) {
    const whole = fileOf(name);
    await refused(whole.subarray(0, 20), /cut short after 20 bytes/);
    await refused(whole.subarray(0, whole.length - 60), /the picture is/);
    const { width } = await decodePicture(whole, "f");
    assert.equal(width, 17);
  }
  const animated = Uint8Array.from(Buffer.from("RIFF\0\0\0\0WEBPVP8X\n\0\0\0\x02\0\0\0\x01\0\0\x01\0\0", "latin1"));
  await refused(animated, /an animation/);
});

test("a picture of too many pixels is refused by its header", async () => {
  const large = Uint8Array.from(fileOf("png"));
  new DataView(large.buffer).setUint32(16, PIXELS_MAX);
  await assert.rejects(decodePicture(large, "f"), (error: unknown) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /f has 67108864 x 11 pixels, expected 1 to 67108864/);
    return true;
  });
});
