// The stage that teaches embeddings: a query is to be nearer to what belongs to it than to all else in its micro-batch.
import { UsageError } from "../../base/errors.ts";
import { rowsOfDocument } from "../data/groups.ts";
import { contrastive } from "../objectives/contrastive.ts";
import { batchOf, idsOf } from "./group-batch.ts";
import { groupedData } from "./grouped-data.ts";
import type { Stage } from "./stage.ts";

export const embed: Stage = {
  summary: "queries and what belongs to them: embeddings",
  reading: "triples",
  speaks: false,
  open(input) {
    const settings = input.recipe.objective;
    if (settings?.name !== "contrastive") {
      throw new UsageError("embed has one objective.", { field: "objective.name" });
    }
    const { pairs, negatives } = settings;
    const parts = negatives ? [0, 1, 2] : [0, 1];
    const data = groupedData(input, {
      reading: "triples",
      perBatch: pairs,
      uses: parts,
      needs: "all",
      batch({ store }, groups) {
        const sequences = [...groups].flatMap((group, element) =>
          parts.map((part) => {
            const document = 3 * group + part;
            const outputRows = Array.from({ length: rowsOfDocument(store, document) }, (_, row) => row);
            return { ids: idsOf(store, document), outputRows, element, part };
          }),
        );
        return batchOf(sequences, groups.length);
      },
    });
    return { objective: contrastive(settings), data, notes: data.notes };
  },
};
