// POST /tokenize and /detokenize, as llama.cpp's server has them: text ↔ token ids of the model.
import * as z from "zod";
import { readJson } from "../body.ts";
import type { ModelPool } from "../model-pool.ts";
import { checkIds, flag, modelField, whole } from "./fields.ts";

const tokenizeRequest = z.object({
  model: modelField,
  content: z.string("expected a string"),
  /** Put BOS first, where the model wants it. */
  add_special: flag.nullish(),
  /** Recognise special tokens in the text. Unlike llama.cpp's, off unless asked for. */
  parse_special: flag.nullish(),
  with_pieces: flag.nullish(),
});

export async function tokenize(request: Request, pool: ModelPool): Promise<Response> {
  const body = await readJson(request, tokenizeRequest);
  using lease = await pool.acquire(body.model ?? undefined, { signal: request.signal });
  const { model } = lease;
  const ids = model.tokenize(body.content, { special: body.parse_special === true, bos: body.add_special === true });
  const tokens = body.with_pieces === true ? ids.map((id) => ({ id, piece: model.detokenize([id]) })) : ids;
  return Response.json({ tokens });
}

const detokenizeRequest = z.object({
  model: modelField,
  tokens: z.array(whole(0, 2 ** 31), "expected an array of token ids"),
});

export async function detokenize(request: Request, pool: ModelPool): Promise<Response> {
  const body = await readJson(request, detokenizeRequest);
  using lease = await pool.acquire(body.model ?? undefined, { signal: request.signal });
  const { model } = lease;
  checkIds(body.tokens, "tokens", model.info.vocabularySize);
  return Response.json({ content: model.detokenize(body.tokens) });
}
