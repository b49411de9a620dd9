// The stage of models with an encoder: of a text another one is to be written, with what stands before each word of it given
// (teacher forcing). Not here: how a source is looked at (models/trace-source.ts).
import { UsageError } from "../../base/errors.ts";
import { nextToken } from "../objectives/next-token.ts";
import type { MicroBatch } from "../micro-batch.ts";
import { idsOf } from "./group-batch.ts";
import { groupedData } from "./grouped-data.ts";
import type { Stage } from "./stage.ts";

/** Two texts as ids, each with its end. */
export interface Translation {
  readonly source: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

/**
 * Sources end to end, and beside them targets, each moved on by one behind `startId`, which look at their own sources.
 * Inputs are those of `traceRows` for a model with an encoder, and `targets`.
 */
export function translationBatch(translations: readonly Translation[], startId: number): MicroBatch {
  const sizeOf = (side: keyof Translation): number => translations.reduce((sum, pair) => sum + pair[side].length, 0);
  const [sources, rows] = [sizeOf("source"), sizeOf("target")];
  const ints = (length: number): Int32Array => new Int32Array(length);
  const counting = (length: number, from = 0): Int32Array => ints(length).map((_, i) => from + i);
  const batch = {
    ids: ints(rows),
    positions: ints(rows),
    starts: ints(rows),
    outputRows: counting(rows),
    targets: ints(rows),
    weights: new Float32Array(rows).fill(1),
    "source.ids": ints(sources),
    "source.positions": ints(sources),
    "source.starts": ints(sources),
    "source.ends": ints(sources),
    "recall.sources": counting(sources),
    "recall.rows": counting(rows, sources),
    // sources look at themselves, where nobody asks what they find
    "recall.starts": counting(sources + rows),
    "recall.ends": counting(sources + rows, 1),
  };
  let [first, row] = [0, 0];
  for (const { source, target } of translations) {
    const [end, rowEnd] = [first + source.length, row + target.length];
    batch["source.ids"].set(source, first);
    batch["source.positions"].set(counting(source.length), first);
    batch["source.starts"].fill(first, first, end);
    batch["source.ends"].fill(end, first, end);
    batch.targets.set(target, row);
    batch.ids.set(target, row);
    batch.ids.copyWithin(row + 1, row, rowEnd - 1);
    batch.ids[row] = startId;
    batch.positions.set(counting(target.length), row);
    batch.starts.fill(row, row, rowEnd);
    batch["recall.starts"].fill(first, sources + row, sources + rowEnd);
    batch["recall.ends"].fill(end, sources + row, sources + rowEnd);
    [first, row] = [end, rowEnd];
  }
  return batch;
}

export const seq2seq: Stage = {
  summary: "texts and what is to be written of them: translations, summaries",
  reading: "triples",
  speaks: false,
  open(input) {
    const { model, tokenizer } = input.start;
    const startId = model.encoder?.startId;
    if (startId === undefined) {
      throw new UsageError(`The model (${model.family}) has no encoder, which seq2seq teaches.`, {
        field: "model",
        hint: "Decoders learn translations as conversations: stage sft.",
      });
    }
    const { eos } = tokenizer.specials;
    if (eos === undefined) {
      throw new UsageError("The tokenizer has no token that ends a text, so a translation would have no end.", {
        field: "tokenizer",
        hint: "liang tokenizer train --eos names one.",
      });
    }
    // the store has an end behind every text; the model reads sources as prompts are read
    const sourceOf = (ids: ReturnType<typeof idsOf>) => (tokenizer.addEos ? ids : ids.subarray(0, -1));
    const data = groupedData(input, {
      reading: "triples",
      uses: [0, 1],
      needs: "all",
      batch: ({ store }, groups) =>
        translationBatch(
          Array.from(groups, (group) => ({
            source: sourceOf(idsOf(store, 3 * group)),
            target: idsOf(store, 3 * group + 1),
          })),
          startId,
        ),
    });
    return { objective: nextToken(), data, notes: data.notes };
  },
};
