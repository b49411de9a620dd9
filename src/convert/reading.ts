// What models that read texts say besides: how rows are made into a vector, by the files that sentence-transformers puts
// into a folder and by GGUF's `pooling_type`; how many kinds of token types there are. Prompts have no place in GGUF.
import { GGUF_POOLINGS, type Pooling, folderReading, ggufPooling } from "../engine/reading-settings.ts";
import type { GgufEntry } from "../format/gguf-types.ts";
import type { Model } from "../models/index.ts";
import { count } from "./entries.ts";

/** GGUF's number for models that rank, whatever a folder says of vectors. */
const RANK = 4;

/** What GGUF says of how a folder's model reads, and what it cannot say, for people. Throws what `readingSettings` throws. */
export async function readingToGguf(
  folder: string,
  architecture: string,
  { heads, parameters }: Pick<Model, "heads" | "parameters">,
): Promise<{
  readonly entries: readonly (readonly [key: string, entry: GgufEntry])[];
  readonly notes: readonly string[];
}> {
  const { pooling, prompts } = await folderReading(folder);
  const type = heads.scores !== undefined ? RANK : pooling === undefined ? undefined : GGUF_POOLINGS.indexOf(pooling);
  const segments = parameters.get("segments.weight")?.rows;
  return {
    entries: [
      ...(type === undefined ? [] : [[`${architecture}.pooling_type`, count(type)] as const]),
      // llama.cpp does not open a model with token types without it
      ...(segments === undefined ? [] : [["tokenizer.ggml.token_type_count", count(segments)] as const]),
    ],
    notes:
      prompts.length === 0
        ? []
        : [
            `Prompts that are put before texts have no place in GGUF: ${prompts.join(", ")}. Write them yourself there.`,
          ],
  };
}

/** sentence-transformers' switches. */
const SWITCHES: readonly (readonly [name: string, pooling: Pooling | undefined])[] = [
  ["pooling_mode_cls_token", "first"],
  ["pooling_mode_mean_tokens", "mean"],
  ["pooling_mode_lasttoken", "last"],
  ["pooling_mode_max_tokens", undefined],
];

/** Files of a folder that say a GGUF file's pooling, by their paths; none where it says none, or ranks. */
export function readingToHf(
  metadata: Readonly<Record<string, unknown>>,
  file: string,
  { heads, width }: Pick<Model, "heads" | "width">,
): Readonly<Record<string, object>> {
  const pooling = heads.scores === undefined ? ggufPooling(metadata, file) : undefined;
  if (pooling === undefined) return {};
  const module = (idx: number, path: string, kind: string) => ({
    idx,
    name: String(idx),
    path,
    type: `sentence_transformers.models.${kind}`,
  });
  return {
    "modules.json": [
      module(0, "", "Transformer"),
      module(1, "1_Pooling", "Pooling"),
      module(2, "2_Normalize", "Normalize"),
    ],
    "1_Pooling/config.json": {
      word_embedding_dimension: width,
      ...Object.fromEntries(SWITCHES.map(([name, is]) => [name, is === pooling])),
    },
  };
}
