// Pictures → rows of a model that reads images: decoded, prepared as its files say, cut into patches. Not here: running them.
import { NotFoundError, UsageError, show } from "../../base/errors.ts";
import type { ImageRows } from "../../engine/index.ts";
import type { ModelFiles } from "../../format/open-model-files.ts";
import { cutPatches } from "../../image/patches.ts";
import type { Pixels } from "../../image/pixels.ts";
import { type ImagePreparation, prepareImage } from "../../image/prepare.ts";
import type { ImageFormat } from "../../models/index.ts";
import type { Picture } from "../types.ts";
import { imageSettings } from "./image-settings.ts";

/** Gives the rows of a picture; `name` is what errors call it. */
export type PictureReader = (picture: Picture, name: string) => Promise<ImageRows>;

/** The files are read with the first picture. Throws NotFoundError where they do not say how pictures are prepared. */
export function pictureReader(files: Pick<ModelFiles, "file">, format: ImageFormat): PictureReader {
  let settings: Promise<ImagePreparation> | undefined;
  return async (picture, name) => {
    const read = await (settings ??= settingsOf(files, format));
    const { planes } = prepareImage(await pixelsOf(picture, name), read);
    return { patches: cutPatches(planes, format.side, format.patchSide), outputs: [0] };
  };
}

async function settingsOf({ file }: Pick<ModelFiles, "file">, format: ImageFormat): Promise<ImagePreparation> {
  const { readImageProcessor } = await import("../../format/image-files.ts");
  const found = await readImageProcessor(file);
  if (found !== undefined) return imageSettings(found.file, found.config, format);
  throw new NotFoundError(`There is no preprocessor_config.json in ${file}: it says how pictures are prepared.`, {
    hint: "Fetch it from where the model is from.",
  });
}

async function pixelsOf(picture: Picture, name: string): Promise<Pixels> {
  if (picture instanceof Uint8Array) return await (await import("../../image/decode.ts")).decodePicture(picture, name);
  const { width, height, rgb } = picture;
  const isWhole =
    [width, height].every((side) => Number.isInteger(side) && side > 0) && rgb.length === 3 * width * height;
  if (isWhole) return picture;
  const expected = "three bytes of each pixel";
  throw new UsageError(
    `${name} has ${show(width)} x ${show(height)} pixels and ${rgb.length} bytes, expected ${expected}.`,
    {
      field: "image",
    },
  );
}
