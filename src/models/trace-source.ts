// How a traced forward pass comes by a source text: an encoder's rows see each other, and what decoder layers see of them
// lies in pages, or beside them where nothing is kept. Not here: what an encoder computes (the family's file).
import {
  type Extent,
  type StateType,
  type Tensor,
  attention,
  gather,
  rowAttention,
  scatterAddRows,
  state,
  writeRows,
} from "../graph/index.ts";
import type { Attend, Recall } from "../nn/index.ts";
import type { CacheGroup, Encoder, ForwardInputs, KeysAndValues, Model } from "./model.ts";
import { rowInputs, whole } from "./trace-inputs.ts";

type Shared = Pick<ForwardInputs, "tap" | "parameter" | "projection">;

/**
 * The encoder's pass over `rows`, whose inputs are named as any rows' with "source." in front; sources lie end to end, from
 * `source.starts` to `source.ends` (rows) i32.
 */
export function readSources(model: Model, encoder: Encoder, rows: Extent, shared: Shared): readonly KeysAndValues[] {
  const [starts, ends] = ["starts", "ends"].map((name) => whole(`source.${name}`, rows));
  const attend: Attend = (q, k, v, { bias, sinks, ...attributes }) =>
    rowAttention({ q, k, v, starts, ends, bias, sinks }, attributes);
  const source = Array<Attend>(encoder.layers).fill(attend);
  return encoder.forward({ ...shared, ...rowInputs(model, rows, "source."), attends: { source } });
}

export interface CacheOptions {
  /** Slots of each cache group. */
  readonly slots: Readonly<Record<string, number>>;
  readonly pageSize: number;
  readonly kvType: StateType;
}

/** A layer's state: keys or values of its group's slots, (S, G*D). */
export const cacheState = (
  { name, kvHeads, headSize }: CacheGroup,
  layer: number,
  part: keyof KeysAndValues,
  { slots, kvType }: CacheOptions,
): Tensor => state(`kv.${name}.${layer}.${part}`, [slots[name], kvHeads * headSize], kvType);

/** Rows that look at sources in pages. */
export interface Lookers {
  readonly rows: Extent;
  /** Which sequence each row belongs to, (rows). */
  readonly sequences: Tensor;
  /** The sequences' pages of the encoder's group, (sequences, P). */
  readonly pages: Tensor;
}

/**
 * How the decoder's layers look at sources that lie in pages; input `last.source` (rows) i32 is each row's source's last
 * position. `read`: what this run's own reading gives, which is written first, at `slots.source` of its rows.
 */
export function cachedRecalls(
  { group }: Encoder,
  { rows, sequences, pages }: Lookers,
  options: CacheOptions,
  read?: { readonly layers: readonly KeysAndValues[]; readonly rows: Extent },
): Recall[] {
  const last = whole(`last.${group.name}`, rows);
  const slots = read && whole(`slots.${group.name}`, read.rows);
  return Array.from({ length: group.layers }, (_, layer): Recall => {
    const written = (part: keyof KeysAndValues): Tensor => {
      const kept = cacheState(group, layer, part, options);
      return read === undefined ? kept : writeRows(kept, slots!, read.layers[layer][part]);
    };
    const seen = { keys: written("keys"), values: written("values") };
    // a row that looks from the last position sees all there is
    return (q, settings) =>
      attention({ q, ...seen, pages, positions: last, sequences }, { ...settings, pageSize: options.pageSize });
  });
}

/**
 * How they look at the sources of the same run, where nothing is kept: rows of both kinds are put into one list of
 * `joinedRows`, at the places that inputs `recall.sources` (source rows) and `recall.rows` (rows) say, and there each sees
 * what lies from `recall.starts` to `recall.ends` (joined rows), all i32.
 */
export function rowRecalls(layers: readonly KeysAndValues[], rows: Extent, sourceRows: Extent): Recall[] {
  const joined: Extent = { name: "joinedRows", bound: rows.bound + sourceRows.bound };
  const [starts, ends] = ["starts", "ends"].map((name) => whole(`recall.${name}`, joined));
  const [own, theirs] = [whole("recall.rows", rows), whole("recall.sources", sourceRows)];
  return layers.map(({ keys, values }): Recall => {
    const [k, v] = [keys, values].map((x) => scatterAddRows(theirs, x, joined));
    return (q, settings) =>
      gather(rowAttention({ q: scatterAddRows(own, q, joined), k, v, starts, ends }, settings), own);
  });
}
