// The file that transformers puts beside a model which reads images: what is done to a picture first. A plain object; what it
// means is chat/reading's business.
import { fileFacts, joinPath, readBytes } from "#platform";
import { FormatError } from "../base/errors.ts";
import { parseJson } from "./json.ts";

const BYTES_MAX = 2 ** 20;

/** What preprocessor_config.json says, or processor_config.json of its image processor; undefined: there is neither. */
export async function readImageProcessor(
  folder: string,
): Promise<{ readonly file: string; readonly config: Record<string, unknown> } | undefined> {
  const read = async (name: string) => {
    const file = joinPath(folder, name);
    if ((await fileFacts(file)) === undefined) return undefined;
    return { file, config: parseJson(file, "text", await readBytes(file, BYTES_MAX)) };
  };
  const own = await read("preprocessor_config.json");
  if (own !== undefined) return own;
  const whole = await read("processor_config.json");
  const part = whole?.config["image_processor"];
  if (whole === undefined || part === undefined) return undefined;
  if (typeof part !== "object" || part === null)
    throw new FormatError(whole.file, "image_processor", part, "an object");
  return { file: whole.file, config: part as Record<string, unknown> };
}
