// A picture of any size → the numbers that a model was trained on, as transformers' image processors make them with Pillow,
// in their order: resize, keep the middle, rescale, normalise. Not here: which settings a model has (chat/reading).
import { UsageError } from "../base/errors.ts";
import type { Pixels, Size } from "./pixels.ts";
import { type Resampling, resize } from "./resize.ts";

export interface ImagePreparation {
  /** What a picture becomes: of this size, or as long as this on its shorter side; undefined: it stays as large as it is. */
  readonly resize: Size | { readonly shortest: number } | undefined;
  readonly resample: Resampling;
  /** What of it is kept, from its middle; undefined: all. Where it is smaller, black is around it. */
  readonly crop: Size | undefined;
  /** Numbers are (rescale * byte - mean) / std, by colour. */
  readonly rescale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** No picture has a side so many times as long as the other; made larger, it would not fit into memory. */
const SIDES_RATIO_MAX = 100;

/** Planes of red, green and blue, (3, height, width). Throws UsageError for a picture that is too long for its other side. */
export function prepareImage(
  pixels: Pixels,
  settings: ImagePreparation,
): Size & { readonly planes: Float32Array<ArrayBuffer> } {
  const { width, height } = sizeFor(pixels, settings.resize);
  const sized = resize(pixels, width, height, settings.resample);
  const kept = settings.crop ?? { width, height };
  return { ...kept, planes: planesOf(sized, kept, settings) };
}

function sizeFor({ width, height }: Pixels, wish: ImagePreparation["resize"]): Size {
  if (wish === undefined) return { width, height };
  if ("width" in wish) return wish;
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (long > short * SIDES_RATIO_MAX) {
    const expected = `at most ${SIDES_RATIO_MAX} times as long on one side as on the other`;
    throw new UsageError(`The image has ${width} x ${height} pixels, expected ${expected}.`, { field: "image" });
  }
  const other = Math.trunc((wish.shortest * long) / short);
  return width <= height ? { width: wish.shortest, height: other } : { width: other, height: wish.shortest };
}

function planesOf({ width, height, rgb }: Pixels, kept: Size, { rescale, mean, std }: ImagePreparation) {
  const [left, top] = [Math.floor((width - kept.width) / 2), Math.floor((height - kept.height) / 2)];
  const size = kept.width * kept.height;
  const planes = new Float32Array(3 * size);
  for (let plane = 0; plane < 3; plane++) {
    const values = valuesOf(rescale, mean[plane], std[plane]);
    for (let y = 0; y < kept.height; y++) {
      for (let x = 0; x < kept.width; x++) {
        const [fromX, fromY] = [x + left, y + top];
        const isInside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
        const byte = isInside ? rgb[3 * (fromY * width + fromX) + plane] : 0;
        planes[plane * size + y * kept.width + x] = values[byte];
      }
    }
  }
  return planes;
}

/** The number of every byte, rounded to f32 after each step, as numpy does. */
function valuesOf(rescale: number, mean: number, std: number): Float32Array {
  const [less, by] = [Math.fround(mean), Math.fround(std)];
  return Float32Array.from({ length: 256 }, (_, byte) => Math.fround(Math.fround(byte * rescale) - less) / by);
}
