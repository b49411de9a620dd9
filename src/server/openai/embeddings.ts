// POST /v1/embeddings: a vector of each text, list of ids or picture (as Jina has them). What is too long is refused, never
// cut; no address is fetched.
import * as z from "zod";
import { withoutUndefined } from "../../base/collections.ts";
import { UsageError, show } from "../../base/errors.ts";
import { shortestDecimals } from "../../base/shortest-decimal.ts";
import type { EmbedInput, EmbedOptions } from "../../chat/types.ts";
import { readJson } from "../body.ts";
import type { ModelPool } from "../model-pool.ts";
import { checkIds, modelField, whole } from "./fields.ts";

/** As OpenAI's own server has it. */
const INPUTS_MAX = 2048;
const ids = z.array(whole(0, 2 ** 31)).min(1, "expected at least one id");
/** Base64 characters of a picture's file, besides those of a data URL: 24 MiB. */
const PICTURE_CHARACTERS_MAX = 32 * 2 ** 20;
/** The body's, so that such a picture fits. */
const BODY_BYTES_MAX = 48 * 2 ** 20;
const text = z.strictObject({ text: z.string("expected a string") });
const picture = z.strictObject({ image: z.string("expected a string").max(PICTURE_CHARACTERS_MAX) });
const many = `expected at most ${INPUTS_MAX} inputs`;

const embeddingsRequest = z.object({
  model: modelField,
  input: z.union(
    [
      z.string(),
      ids,
      text,
      picture,
      z
        .array(z.union([z.string(), text, picture], "expected strings, {text} or {image}"))
        .min(1)
        .max(INPUTS_MAX, many),
      z.array(ids).min(1).max(INPUTS_MAX, many),
    ],
    "expected a string, an array of token ids, {text}, {image}, or an array of those",
  ),
  encoding_format: z.enum(["float", "base64"], "expected float or base64").nullish(),
  dimensions: whole(1).nullish(),
  /** The name of a prompt of the model's own, such as "query". */
  prompt_name: z.string("expected a prompt's name").nullish(),
});
type Input = z.output<typeof embeddingsRequest>["input"];
type One = string | readonly number[] | z.output<typeof text> | z.output<typeof picture>;

export async function embedInputs(request: Request, pool: ModelPool): Promise<Response> {
  const body = await readJson(request, embeddingsRequest, BODY_BYTES_MAX);
  const { signal } = request;
  using lease = await pool.acquire(body.model ?? undefined, { signal });
  const inputs = inputsOf(body.input);
  const { vocabularySize } = lease.model.info;
  for (const input of inputs) {
    if (typeof input !== "string" && !("image" in input)) checkIds(input, "input", vocabularySize);
  }
  const { dimensions, prompt_name: prompt } = body;
  const options = { dimensions: dimensions ?? undefined, prompt: prompt ?? undefined, signal };
  const { vectors, tokens } = await lease.model.embed(inputs, withoutUndefined<EmbedOptions>(options));
  const written = body.encoding_format === "base64" ? base64Of : shortestDecimals;
  return Response.json({
    object: "list",
    data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: written(vector) })),
    model: lease.name,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

function inputsOf(input: Input): EmbedInput[] {
  const isOne = !Array.isArray(input) || typeof input[0] === "number";
  const all = (isOne ? [input] : input) as readonly One[];
  return all.map((one, index): EmbedInput => {
    if (typeof one === "string") return one;
    if ("image" in one) return { image: pictureBytes(one.image, `input[${index}].image`) };
    return "text" in one ? one.text : one;
  });
}

/** Bytes of base64, or of a data URL. Throws UsageError that names the field for an address, and for what is neither. */
function pictureBytes(image: string, field: string): Uint8Array {
  const [, data = image] = /^data:[^,]*;base64,(.*)$/s.exec(image) ?? [];
  try {
    return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  } catch (cause) {
    const found = /^\w+:/.exec(image)?.[0] ?? "no base64";
    throw new UsageError(`${field} is ${show(found)}, expected a picture's bytes in base64 or a data URL with them.`, {
      field,
      cause,
      hint: "Addresses are not fetched.",
    });
  }
}

/** f32, the low byte first. */
function base64Of(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * vector.length));
  for (const [i, value] of vector.entries()) view.setFloat32(4 * i, value, true);
  let text = "";
  for (const byte of new Uint8Array(view.buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}
