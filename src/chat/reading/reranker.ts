// How well documents answer a query, by a model that reads both together (a cross-encoder): its head for scores, on the
// first row of each pair.
import { UnsupportedError } from "../../base/errors.ts";
import type { Encoder, TextRows } from "../../engine/index.ts";
import type { Model } from "../../models/index.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Ranking, RerankOptions } from "../types.ts";

export interface RerankerParts {
  readonly model: Pick<Model, "parameters" | "family">;
  readonly tokenizer: Tokenizer;
  readonly encoder: Encoder;
}

/** Throws UnsupportedError for a head of several classes, ContextLengthError for a pair that is too long, AbortError. */
export async function rerank(
  { model, tokenizer, encoder }: RerankerParts,
  query: string,
  documents: readonly string[],
  { top = documents.length, signal }: RerankOptions = {},
): Promise<Ranking> {
  if (encoder.columns !== 1) {
    throw new UnsupportedError(
      `The model (${model.family}) tells ${encoder.columns} classes apart, expected one score.`,
    );
  }
  const pair = pairing(model, tokenizer, query);
  const sequences = documents.map((document) => ({ ...pair(document), outputs: [0] }));
  const values = await encoder.run(sequences, signal);
  const results = values.map(([score], index) => ({ index, score, relevance: 1 / (1 + Math.exp(-score)) }));
  // equal scores stay in the order of the documents
  results.sort((a, b) => b.score - a.score || a.index - b.index);
  return { results: results.slice(0, top), tokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0) };
}

/**
 * Query and document as one text: BERT's `[CLS] q [SEP] d [SEP]`, whose segments are 0 and 1; RoBERTa's, which has one
 * segment, `<s> q </s></s> d </s>`.
 */
function pairing({ parameters }: Pick<Model, "parameters">, tokenizer: Tokenizer, query: string) {
  const around = tokenizer.encode("", { bos: true });
  const after = around.slice(tokenizer.addBos ? 1 : 0);
  const first = tokenizer.encode(query, { bos: true });
  const hasSegments = (parameters.get("segments.weight")?.rows ?? 0) > 1;
  return (document: string): TextRows => {
    const second = [...(hasSegments ? [] : after), ...tokenizer.encode(document), ...after];
    const ids = [...first, ...second];
    return hasSegments ? { ids, segments: ids.map((_, i) => (i < first.length ? 0 : 1)) } : { ids };
  };
}
