// POST /v1/embeddings: a vector of each text or list of ids. What is too long is refused, never cut.
import * as z from "zod";
import { withoutUndefined } from "../../base/collections.ts";
import { shortestDecimals } from "../../base/shortest-decimal.ts";
import type { EmbedOptions } from "../../chat/types.ts";
import { readJson } from "../body.ts";
import type { ModelPool } from "../model-pool.ts";
import { checkIds, modelField, whole } from "./fields.ts";

/** As OpenAI's own server has it. */
const INPUTS_MAX = 2048;
const ids = z.array(whole(0, 2 ** 31)).min(1, "expected at least one id");
const many = `expected at most ${INPUTS_MAX} inputs`;

const embeddingsRequest = z.object({
  model: modelField,
  input: z.union(
    [
      z.string(),
      ids,
      z.array(z.string(), "expected strings").min(1).max(INPUTS_MAX, many),
      z.array(ids).min(1).max(INPUTS_MAX, many),
    ],
    "expected a string, an array of token ids, or an array of those",
  ),
  encoding_format: z.enum(["float", "base64"], "expected float or base64").nullish(),
  dimensions: whole(1).nullish(),
  /** The name of a prompt of the model's own, such as "query". */
  prompt_name: z.string("expected a prompt's name").nullish(),
});
type Input = z.output<typeof embeddingsRequest>["input"];

export async function embedInputs(request: Request, pool: ModelPool): Promise<Response> {
  const body = await readJson(request, embeddingsRequest);
  const { signal } = request;
  using lease = await pool.acquire(body.model ?? undefined, { signal });
  const inputs = inputsOf(body.input);
  const { vocabularySize } = lease.model.info;
  for (const input of inputs) if (typeof input !== "string") checkIds(input, "input", vocabularySize);
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

function inputsOf(input: Input): (string | number[])[] {
  if (typeof input === "string") return [input];
  return typeof input[0] === "number" ? [input as number[]] : (input as (string | number[])[]);
}

/** f32, the low byte first. */
function base64Of(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * vector.length));
  for (const [i, value] of vector.entries()) view.setFloat32(4 * i, value, true);
  let text = "";
  for (const byte of new Uint8Array(view.buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}
