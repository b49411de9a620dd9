// Documents as packing sees them: pieces of at most `window` rows. A document of L tokens has L - 1 rows (a token and the
// one after it); a longer one is cut into pieces as even as can be. Rows behind the last token that is learnt are no use.
import type { TokenStore } from "./token-store.ts";

export interface Pieces {
  readonly count: number;
  /** Document of each piece, first token inside of it, rows. */
  readonly documents: Uint32Array;
  readonly offsets: Uint32Array;
  readonly rows: Uint32Array;
  /** Sum of `rows`. */
  readonly totalRows: number;
  /** Documents longer than the window. */
  readonly cutDocuments: number;
  /** Documents without a token to learn; and rows of pieces without one, which are left out. */
  readonly emptyDocuments: number;
  readonly rowsLeftOut: number;
}

export function cutIntoPieces({ starts, firstSpans, spans }: TokenStore, window: number): Pieces {
  const documents: number[] = [];
  const offsets: number[] = [];
  const sizes: number[] = [];
  let [totalRows, cutDocuments, emptyDocuments, rowsLeftOut] = [0, 0, 0, 0];
  for (let document = 0; document + 1 < starts.length; document++) {
    const [firstSpan, spansEnd] = [firstSpans[document], firstSpans[document + 1]];
    const rows = firstSpan === spansEnd ? 0 : spans[2 * spansEnd - 1] - 1;
    if (rows <= 0) emptyDocuments++;
    const parts = Math.ceil(rows / window);
    if (parts > 1) cutDocuments++;
    let span = firstSpan;
    for (let part = 0; part < parts; part++) {
      const offset = Math.floor((rows * part) / parts);
      const end = Math.floor((rows * (part + 1)) / parts);
      // row r learns token r + 1
      while (span < spansEnd && spans[2 * span + 1] <= offset + 1) span++;
      if (span === spansEnd || spans[2 * span] > end) {
        rowsLeftOut += end - offset;
        continue;
      }
      documents.push(document);
      offsets.push(offset);
      sizes.push(end - offset);
      totalRows += end - offset;
    }
  }
  return {
    count: sizes.length,
    documents: Uint32Array.from(documents),
    offsets: Uint32Array.from(offsets),
    rows: Uint32Array.from(sizes),
    totalRows,
    cutDocuments,
    emptyDocuments,
    rowsLeftOut,
  };
}
