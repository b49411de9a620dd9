// POST /v1/rerank (also /rerank and /v2/rerank), as Jina and Cohere have it: documents by how well they answer a query.
import * as z from "zod";
import { readJson } from "./body.ts";
import type { ModelPool } from "./model-pool.ts";
import { flag, modelField, whole } from "./openai/fields.ts";

const DOCUMENTS_MAX = 2048;
const document = z.union([z.string(), z.object({ text: z.string("expected a string") })], "expected a text, or {text}");

const rerankRequest = z.object({
  model: modelField,
  query: z.string("expected a string"),
  documents: z
    .array(document, "expected an array of texts")
    .min(1, "expected at least one document")
    .max(DOCUMENTS_MAX, `expected at most ${DOCUMENTS_MAX} documents`),
  top_n: whole(1).nullish(),
  return_documents: flag.nullish(),
});

/** `relevance_score` is from 0 to 1. */
export async function rerankDocuments(request: Request, pool: ModelPool): Promise<Response> {
  const body = await readJson(request, rerankRequest);
  using lease = await pool.acquire(body.model ?? undefined, { signal: request.signal });
  const documents = body.documents.map((one) => (typeof one === "string" ? one : one.text));
  const top = body.top_n ?? documents.length;
  const { results, tokens } = await lease.model.rerank(body.query, documents, { top, signal: request.signal });
  return Response.json({
    id: `rerank-${crypto.randomUUID()}`,
    model: lease.name,
    results: results.map(({ index, relevance }) => ({
      index,
      relevance_score: relevance,
      ...(body.return_documents === true && { document: { text: documents[index] } }),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
    meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } },
  });
}
