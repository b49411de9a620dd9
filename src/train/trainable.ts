// Which models no stage trains, said before anything is read of their data.
import { UnsupportedError } from "../base/errors.ts";
import type { Model } from "../models/index.ts";

/** Throws UnsupportedError for a model that reads images: stages read texts. */
export function checkTrainable({ family, imageFormat, imageTower }: Model): void {
  if (imageFormat === undefined && imageTower === undefined) return;
  throw new UnsupportedError(`The model (${family}) reads images, and no stage of training reads them yet.`, {
    hint: "It can be run as it is: to embed images, or to tell what they show.",
  });
}
