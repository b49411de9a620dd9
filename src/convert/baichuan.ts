// Settings that only Baichuan has: how positions are known, and whether the head's rows are divided by their lengths, which
// GGUF has done already.
import type { GgufEntry } from "../format/gguf-types.ts";
import { ALIBI_BIAS, UNIT_HEAD_VOCABULARY } from "../models/baichuan.ts";
import { real } from "./entries.ts";
import type { Settings } from "./forms.ts";

export const baichuanToGguf = ({ model }: Settings): [string, GgufEntry][] =>
  model.ropes.length > 0 ? [] : [["attention.max_alibi_bias", real(ALIBI_BIAS)]];

export const baichuanToHf = ({ model }: Settings): Record<string, unknown> => ({
  model_max_length: model.window, // the 13B models' word
  position_embedding: model.ropes.length > 0 ? "ROPE" : "ALIBI",
  norm_head: model.vocabularySize === UNIT_HEAD_VOCABULARY, // rows of length 1 stay as they are
});
