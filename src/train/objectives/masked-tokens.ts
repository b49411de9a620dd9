// Which tokens a masked language model must find (Devlin et al. 2019): a pure function of (seed, position in the data).
import { UsageError } from "../../base/errors.ts";
import { uniform } from "../../base/random.ts";

export interface MaskSettings {
  /** The id that stands for a hidden token. */
  readonly maskId: number;
  readonly vocabularySize: number;
  /** Share of the tokens that are to be found; default 0.15. Of them 80 % are hidden, 10 % another token, 10 % as they are. */
  readonly share?: number;
  /** Tokens that are never chosen, such as those of the template. */
  readonly keeps?: (id: number) => boolean;
}

export interface MaskedTokens {
  /** As the model reads them. */
  readonly ids: Int32Array;
  /** The rows that are to be found, and what was there. */
  readonly outputRows: Int32Array;
  readonly targets: Int32Array;
}

const [HIDDEN, OTHER] = [0.8, 0.9];
/** The streams of `uniform` that choices use. */
const STREAM = 2 ** 22;

/** Equal seeds and numbers of the batch: equal choices. Throws UsageError where `maskId` is not in the vocabulary. */
export function maskTokens(
  ids: Int32Array,
  { maskId, vocabularySize, share = 0.15, keeps = () => false }: MaskSettings,
  seed: number,
  batch: number,
): MaskedTokens {
  if (!Number.isInteger(maskId) || maskId < 0 || maskId >= vocabularySize) {
    throw new UsageError(`The mask's id is ${maskId}, expected one below ${vocabularySize}.`, { field: "maskId" });
  }
  const draw = (row: number, part: number): number => uniform(seed, STREAM + part, batch * 2 ** 24 + row);
  const outputRows = Int32Array.from(ids.keys()).filter((row) => !keeps(ids[row]) && draw(row, 0) < share);
  const read = ids.slice();
  for (const row of outputRows) {
    const how = draw(row, 1);
    if (how < HIDDEN) read[row] = maskId;
    else if (how < OTHER) read[row] = Math.floor(draw(row, 2) * vocabularySize);
  }
  return { ids: read, outputRows, targets: outputRows.map((row) => ids[row]) };
}
