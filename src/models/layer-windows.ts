// Which layers of an HF config attend through a sliding window: as `layer_types` lists them in new files, or by the
// rule that a family's older files imply.
import { UnsupportedError } from "../base/errors.ts";
import type { Config } from "./config.ts";

const slidesByType: Readonly<Record<string, boolean>> = { full_attention: false, sliding_attention: true };

/** Window of each layer, undefined where it sees everything. `slides` is the rule where there are no `layer_types`. */
export function hfWindows(
  config: Config,
  layers: number,
  window: number | undefined,
  slides: (layer: number) => boolean,
): (number | undefined)[] {
  const types = config.strings("layer_types");
  if (types !== undefined && types.length !== layers) {
    throw config.error("layer_types", `a list of ${types.length}`, `one for each of the ${layers} layers`);
  }
  return Array.from({ length: layers }, (_, layer) => {
    const type = types?.[layer];
    if (type !== undefined && !Object.hasOwn(slidesByType, type)) {
      throw new UnsupportedError(`layer_types has ${type}. Liang can do ${Object.keys(slidesByType).join(", ")}.`);
    }
    if (!(type === undefined ? slides(layer) : slidesByType[type])) return undefined;
    if (window === undefined)
      throw config.error("sliding_window", undefined, "a window, as layer_types has sliding ones");
    return window;
  });
}
