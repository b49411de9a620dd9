// How a model's files want pictures prepared: preprocessor_config.json, in its old forms too, over what the processor of the
// model's family does by itself. Throws for what is there and would change the numbers.
import { FormatError, UnsupportedError, show } from "../../base/errors.ts";
import type { Size } from "../../image/pixels.ts";
import type { ImagePreparation } from "../../image/prepare.ts";
import { Config } from "../../models/config.ts";
import type { ImageFormat } from "../../models/index.ts";

/** Pillow's numbers. */
const RESAMPLINGS = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"] as const;
const KNOWN_STEPS = ["do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb"];

/**
 * Throws UnsupportedError for a processor or a step that is not done, FormatError for a value that cannot be, and for a
 * picture that would not be as large as the model's.
 */
export function imageSettings(
  file: string,
  values: Readonly<Record<string, unknown>>,
  { side, processor, preparation }: Pick<ImageFormat, "side" | "processor" | "preparation">,
): ImagePreparation {
  const config = new Config(file, values);
  checkProcessor(config, processor);
  const other = Object.keys(values).find((key) => key.startsWith("do_") && !KNOWN_STEPS.includes(key));
  if (other !== undefined) config.only({ [other]: [false] });
  const isDone = (step: string, byDefault: boolean): boolean => config.boolean(`do_${step}`, byDefault);
  const resize = sizeOf(config, "size", preparation.resize !== undefined && "shortest" in preparation.resize);
  const crop = sizeOf(config, "crop_size", false) ?? preparation.crop;
  const scales = isDone("rescale", true);
  const normalizes = isDone("normalize", true);
  const settings: ImagePreparation = {
    resize: isDone("resize", true) ? (resize ?? preparation.resize) : undefined,
    resample: resamplingOf(config) ?? preparation.resample,
    crop: isDone("center_crop", preparation.crop !== undefined) ? (crop as Size) : undefined,
    rescale: scales ? config.number("rescale_factor", preparation.rescale) : 1,
    mean: normalizes ? colours(config, "image_mean", preparation.mean) : [0, 0, 0],
    std: normalizes ? colours(config, "image_std", preparation.std) : [1, 1, 1],
  };
  const last = settings.crop ?? settings.resize;
  if (last === undefined || !("width" in last) || last.width !== side || last.height !== side) {
    const found = last !== undefined && "width" in last ? `${last.width} x ${last.height} pixels` : "of any shape";
    throw new FormatError(file, "a prepared image", found, `the model's ${side} x ${side}`, {
      hint: "size and crop_size say it.",
    });
  }
  return settings;
}

/** The names that transformers has had for one processor. */
function checkProcessor(config: Config, processor: string): void {
  const found = config.find("image_processor_type") ?? config.find("feature_extractor_type");
  const known = ["ImageProcessor", "ImageProcessorFast", "ImageProcessorPil", "FeatureExtractor"];
  if (found === undefined || known.some((ending) => found === processor + ending)) return;
  const key = config.find("image_processor_type") === undefined ? "feature_extractor_type" : "image_processor_type";
  config.only({ [key]: [`${processor}ImageProcessor`] });
}

/** One number is a square, or, where `isShortest`, the shorter side. */
function sizeOf(config: Config, key: string, isShortest: boolean): ImagePreparation["resize"] {
  const value = config.find(key);
  if (value === undefined) return undefined;
  if (typeof value === "number") {
    const one = config.size(key);
    return isShortest ? { shortest: one } : { width: one, height: one };
  }
  const sides = config.object(key)!;
  const names = Object.keys(value as object);
  const isOnly = (...expected: string[]): boolean =>
    expected.length === names.length && expected.every((name) => names.includes(name));
  if (isOnly("width", "height")) return { width: sides.size("width"), height: sides.size("height") };
  if (key === "size" && isOnly("shortest_edge")) return { shortest: sides.size("shortest_edge") };
  const expected = key === "size" ? "height and width, or shortest_edge" : "height and width";
  throw new UnsupportedError(`${key} has ${show(names)}; Liang can do ${expected}.`);
}

function resamplingOf(config: Config): ImagePreparation["resample"] | undefined {
  if (config.find("resample") === undefined) return undefined;
  const number = config.count("resample");
  return RESAMPLINGS[number] ?? config.only({ resample: [...RESAMPLINGS.keys()] });
}

function colours(config: Config, key: string, byDefault: readonly number[]): readonly number[] {
  const found = config.find(key);
  if (found === undefined) return byDefault;
  const isThree = Array.isArray(found) && found.length === 3 && found.every((value) => Number.isFinite(value));
  if (isThree) return found as number[];
  throw config.error(key, found, "three numbers");
}
