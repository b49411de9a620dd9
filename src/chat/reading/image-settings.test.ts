// preprocessor_config.json → what is done to a picture, held against what transformers' processors gave for the same files.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { FormatError, UnsupportedError } from "../../base/errors.ts";
import { prepareImage } from "../../image/prepare.ts";
import { newModel } from "../../models/index.ts";
import { imageSettings } from "./image-settings.ts";

interface Case {
  readonly config: Readonly<Record<string, unknown>> & {
    readonly image_processor_type: string;
    readonly crop_size?: { readonly width: number; readonly height: number };
  };
  readonly from: readonly [number, number];
  readonly planes: readonly number[];
}
const path = new URL("../../../test/golden/image/preparation.json", import.meta.url);
const { prepare } = JSON.parse(readFileSync(path, "utf8")) as { readonly prepare: readonly Case[] };

const formats = {
  CLIP: newModel({ model_type: "clip" }).imageTower!.imageFormat!,
  ViT: newModel({ model_type: "vit" }).imageFormat!,
};
const picture = (width: number, height: number) => ({
  width,
  height,
  rgb: Uint8Array.from({ length: 3 * width * height }, (_, i) => Math.imul(i, 2654435761) >>> 24),
});

describe("a picture becomes the very numbers of transformers' processors", () => {
  for (const { config, from, planes } of prepare) {
    test(`${config.image_processor_type}, ${from.join(" x ")}`, () => {
      const format = config.image_processor_type.startsWith("CLIP") ? formats.CLIP : formats.ViT;
      const crop = config.crop_size;
      const { width, height } = crop ?? (config.size as { readonly width: number; readonly height: number });
      const settings = imageSettings("f", isSquare({ width, height }, config), { ...format, side: height });
      const found = prepareImage(picture(...from), { ...settings, ...(crop && { crop }) });
      assert.deepEqual(found.planes, Float32Array.from(planes));
    });
  }
});

/** The models' pictures are squares; the golden ones need not be, so that sides are not mistaken for each other. */
function isSquare({ width, height }: { width: number; height: number }, config: Case["config"]): Case["config"] {
  return width === height ? config : { ...config, crop_size: { width: height, height } };
}

test("old files give one number for a size: the shorter side of CLIP's, a square of ViT's", () => {
  const clip = imageSettings(
    "f",
    { size: 224, crop_size: 224, feature_extractor_type: "CLIPFeatureExtractor" },
    formats.CLIP,
  );
  assert.deepEqual(clip, formats.CLIP.preparation);
  const vit = imageSettings("f", { size: 224, resample: 2, do_normalize: false, do_rescale: false }, formats.ViT);
  assert.deepEqual(vit, { ...formats.ViT.preparation, rescale: 1, mean: [0, 0, 0], std: [1, 1, 1] });
});

test("what would change the numbers and is not done is refused by name", () => {
  const refused = (
    values: Record<string, unknown>,
    error: typeof FormatError | typeof UnsupportedError,
    words: RegExp,
  ) =>
    assert.throws(
      () => imageSettings("f", values, formats.CLIP),
      (thrown: unknown) => thrown instanceof error && words.test(thrown.message),
    );
  refused({ image_processor_type: "BlipImageProcessor" }, UnsupportedError, /image_processor_type is "BlipImage/);
  refused({ do_pad: true }, UnsupportedError, /do_pad is true/);
  refused({ size: { longest_edge: 224 } }, UnsupportedError, /size has \["longest_edge"\]/);
  refused({ resample: 9 }, UnsupportedError, /resample is 9/);
  refused({ image_mean: [0.5] }, FormatError, /image_mean/);
  refused({ crop_size: { width: 200, height: 200 } }, FormatError, /200 x 200 pixels", expected the model's 224 x 224/);
  refused({ do_center_crop: false }, FormatError, /of any shape/);
});
