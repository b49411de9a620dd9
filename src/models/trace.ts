// Model → graph: names the leaves as ARCHITECTURE.md has them and runs the family's forward once over traced tensors.
// Not here: what any family computes; how leaves are filled (engine/).
import { UnsupportedError, UsageError } from "../base/errors.ts";
import {
  type Extent,
  type Graph,
  type StateType,
  type Tensor,
  attention,
  blockMax,
  graph,
  parameter,
  rowAttention,
  state,
  writeRows,
} from "../graph/index.ts";
import { type AdapterRoom, type Attend, type Projection, type Recall } from "../nn/index.ts";
import { chosenLora, plainProjection } from "../nn/index.ts";
import type { Encoder, ForwardInputs, Head, HeadName, Model } from "./model.ts";
import { rowInputs, whole } from "./trace-inputs.ts";
import { cacheState, cachedRecalls, readSources, rowRecalls } from "./trace-source.ts";

/** What weights are, and what goes beside them. */
export interface WeightOptions {
  /** Whether a weight is to be trained: it is then the state `weights.<name>`, f32, not a parameter. */
  readonly trains: (parameter: string, shape: readonly number[]) => boolean;
  /** An adapter, whose weights `weight` makes; default: none. */
  readonly adapter?: (weight: MakeWeight) => Projection;
}

export interface TraceOptions extends Partial<WeightOptions> {
  /** Bounds of the extents `rows`, `sequences`, `outputRows` and `pages` (of a sequence). */
  readonly rows: number;
  readonly sequences: number;
  readonly outputRows: number;
  readonly pages: number;
  /** Bound of the extent `sourceRows`: the run reads the sources of its rows first. Absent: they were read before. */
  readonly sourceRows?: number;
  /** Slots in a page. */
  readonly pageSize: number;
  /** Slots of each cache group: a multiple of the page size. */
  readonly slots: Readonly<Record<string, number>>;
  readonly kvType: StateType;
  /** Names of values to give besides `logits`: "hidden.0" ... */
  readonly taps?: readonly string[];
  /** Adapters that rows choose from, by input `adapters` (rows) i32, [1] of a program of one sequence; their tables are the states `adapters.<name>`. */
  readonly adapters?: AdapterRoom | undefined;
  /** Outputs that are computed of the logits (outputRows, V), by name. */
  readonly ofLogits?: (logits: Tensor) => Readonly<Record<string, Tensor>>;
}

export const adapterState = (table: string): string => `adapters.${table}`;

/**
 * Logits of a block, whose largest one is given too: output "logits.peaks" (outputRows, blocks), so that who samples reads
 * only the blocks that matter. Of V = 262,144 the best 40 are found in 0.24 ms with 512, in 0.28 with 256, in 0.29 with
 * 1024, the search for the peaks included (bench/sampler.ts).
 */
export const LOGIT_BLOCK = 512;

/**
 * A head of the model. Throws UnsupportedError where it has none of that name: an encoder without one for hidden tokens, a
 * decoder asked for scores.
 */
export function headOf(model: Pick<Model, "family" | "heads">, name: HeadName): Head {
  const head = model.heads[name];
  if (head !== undefined) return head;
  const has = Object.keys(model.heads).join(", ");
  throw new UnsupportedError(`The model (${model.family}) has no head for ${name}.`, {
    hint: has === "" ? "It gives hidden values alone, of which embeddings are made." : `It has one for ${has}.`,
  });
}

/** Whether a model goes on with texts; one that does not reads whole ones, or images, and keeps nothing of them. */
export const writes = ({ heads, bothDirections = false }: Pick<Model, "heads" | "bothDirections">): boolean =>
  heads.logits !== undefined && !bothDirections;

/**
 * The graph of one forward pass over cached sequences. Throws UsageError for a tap that the model does not have,
 * UnsupportedError for a model that does not write: without a head for logits, or one whose rows see what comes later.
 */
export function traceModel(model: Model, options: TraceOptions): Graph {
  if (model.bothDirections === true) {
    const hint = "It embeds or ranks texts, and can be trained.";
    throw new UnsupportedError(`The model (${model.family}) is an encoder, which writes no text.`, { hint });
  }
  const extent = (name: "rows" | "sequences" | "outputRows" | "pages"): Extent => ({ name, bound: options[name] });
  const rows = extent("rows");

  const inputs = rowInputs(model, rows);
  const { positions } = inputs;
  const sequences = whole("sequences", rows);
  const pagesOf = (group: string): Tensor => whole(`pages.${group}`, extent("sequences"), extent("pages"));
  const attends = model.cacheGroups.map((group): [string, Attend[]] => {
    const [pages, slots] = [pagesOf(group.name), whole(`slots.${group.name}`, rows)];
    const ofLayer = (layer: number): Attend => {
      const keysState = cacheState(group, layer, "keys", options);
      const valuesState = group.valuesAreKeys === true ? undefined : cacheState(group, layer, "values", options);
      return (q, k, v, { bias, sinks, ...attributes }) => {
        const keys = writeRows(keysState, slots, k);
        const values = valuesState === undefined ? keys : writeRows(valuesState, slots, v);
        const inputs = { q, keys, values, pages, positions, sequences };
        return attention({ ...inputs, bias, sinks }, { ...attributes, pageSize: options.pageSize });
      };
    };
    return [group.name, Array.from({ length: group.layers }, (_, layer) => ofLayer(layer))];
  });
  const { weight } = weightLeaves(options.trains);
  const { taps, tap } = namedValues();
  const shared = { tap, parameter: leafOfEach(model, weight) };
  const projection = projectionOf(options, weight);
  const recallsOf = (encoder: Encoder): Recall[] => {
    const lookers = { rows, sequences, pages: pagesOf(encoder.group.name) };
    if (options.sourceRows === undefined) return cachedRecalls(encoder, lookers, options);
    const sourceRows: Extent = { name: "sourceRows", bound: options.sourceRows };
    const layers = readSources(model, encoder, sourceRows, {
      ...shared,
      projection: projection(sourceRows, "source."),
    });
    return cachedRecalls(encoder, lookers, options, { layers, rows: sourceRows });
  };
  const x: ForwardInputs = {
    ...inputs,
    ...shared,
    outputRows: whole("outputRows", extent("outputRows")),
    attends: Object.fromEntries(attends),
    recalls: model.encoder === undefined ? [] : recallsOf(model.encoder),
    projection: projection(rows),
  };
  const logits = headOf(model, "logits")(model.forward(x), x);
  const asked = (options.taps ?? []).map((name): [string, Tensor] => {
    const value = taps.get(name);
    if (value === undefined) {
      throw new UsageError(`${model.family} has no value ${name}. There are: ${[...taps.keys()].join(", ")}.`);
    }
    return [name, value];
  });
  return graph({
    logits,
    "logits.peaks": blockMax(logits, LOGIT_BLOCK),
    ...Object.fromEntries(asked),
    ...options.ofLogits?.(logits),
  });
}

/**
 * How rows go through projections; `prefix` is before the name of their input, where they choose adapters: each for itself,
 * those of one sequence all together.
 */
function projectionOf({ adapters, adapter, sequences }: TraceOptions, weight: MakeWeight) {
  const table = onceEach((name, shape) => state(adapterState(name), shape, "f32"));
  return (rows: Extent, prefix = ""): Projection =>
    adapters === undefined
      ? (adapter?.(weight) ?? plainProjection)
      : chosenLora(adapters, table, whole(`${prefix}adapters`, sequences === 1 ? 1 : rows));
}

export interface RowTraceOptions extends WeightOptions {
  /** Bounds of the extents `rows` and `outputRows`. */
  readonly rows: number;
  readonly outputRows: number;
  /** Bound of the extent `sourceRows`, of models with an encoder. */
  readonly sourceRows?: number;
  /**
   * Rows see all of their document, not only what is before them: input `ends` (rows) i32 says where it ends. Default: as
   * the model was made.
   */
  readonly bothDirections?: boolean | undefined;
}

/** Gives the leaf of a weight, of the model or of something beside it, made once. */
export type MakeWeight = (name: string, shape: readonly number[]) => Tensor;

/** A forward pass over rows alone: what training differentiates. */
export interface RowTrace {
  /** Of the rows that reach it: (outputRows, V) for logits. Throws as `headOf`. */
  readonly head: (name: HeadName) => Tensor;
  /** (outputRows, C): what heads read. */
  readonly hidden: Tensor;
  /** For weights that only training knows, such as the head of a reward model. */
  readonly weight: MakeWeight;
  /** By the parameter's name: the states that stand for weights that are trained. */
  readonly trained: ReadonlyMap<string, Tensor>;
  readonly taps: ReadonlyMap<string, Tensor>;
}

export const weightState = (parameter: string): string => `weights.${parameter}`;

/**
 * The forward pass without a cache: documents lie end to end in the rows, and input `starts` (rows) i32 says where each
 * row's begins; ids, positions, segments, outputRows and ropes are inputs as in `traceModel`.
 */
export function traceRows(model: Model, options: RowTraceOptions): RowTrace {
  const rows: Extent = { name: "rows", bound: options.rows };
  const starts = whole("starts", rows);
  const sees = isTwoWay(model, options.bothDirections) ? { starts, ends: whole("ends", rows) } : { starts };
  const attend: Attend = (q, k, v, { bias, sinks, ...attributes }) =>
    rowAttention({ q, k, v, ...sees, bias, sinks }, attributes);
  const { taps, tap } = namedValues();
  const outputRows = whole("outputRows", { name: "outputRows", bound: options.outputRows });
  const { weight, trained } = weightLeaves(options.trains);
  const shared = {
    tap,
    parameter: leafOfEach(model, weight),
    projection: options.adapter?.(weight) ?? plainProjection,
  };
  const recallsOf = (encoder: Encoder): Recall[] => {
    const sourceRows: Extent = { name: "sourceRows", bound: options.sourceRows ?? options.rows };
    return rowRecalls(readSources(model, encoder, sourceRows, shared), rows, sourceRows);
  };
  const x: ForwardInputs = {
    ...rowInputs(model, rows),
    ...shared,
    outputRows,
    attends: Object.fromEntries(
      model.cacheGroups.map(({ name, layers }) => [name, Array<Attend>(layers).fill(attend)]),
    ),
    recalls: model.encoder === undefined ? [] : recallsOf(model.encoder),
  };
  const hidden = model.forward(x);
  const heads = new Map<HeadName, Tensor>();
  const head = (name: HeadName): Tensor => {
    const value = heads.get(name) ?? headOf(model, name)(hidden, x);
    heads.set(name, value);
    return value;
  };
  return { head, hidden, weight, trained, taps };
}

const isTwoWay = ({ bothDirections = false }: Model, asked = bothDirections): boolean => asked;

/** Values that a forward pass names. */
function namedValues() {
  const taps = new Map<string, Tensor>();
  const tap = (name: string, value: Tensor): Tensor => {
    taps.set(name, value);
    return value;
  };
  return { taps, tap };
}

/** Leaves of weights, made once each: parameters, or states where they are trained. */
function weightLeaves(trains: WeightOptions["trains"] = () => false) {
  const trained = new Map<string, Tensor>();
  const weight = onceEach((name, shape) => {
    if (!trains(name, shape)) return parameter(name, shape);
    const leaf = state(weightState(name), shape, "f32");
    trained.set(name, leaf);
    return leaf;
  });
  return { weight, trained };
}

/** Gives the leaf of each of the model's parameters. */
function leafOfEach(model: Model, weight: MakeWeight): (name: string) => Tensor {
  return (name) => {
    const source = model.parameters.get(name);
    if (source === undefined) throw new UsageError(`${model.family} has no weight ${name}.`);
    return weight(name, source.vector ? [source.columns] : [source.rows, source.columns]);
  };
}

function onceEach(make: MakeWeight): MakeWeight {
  const leaves = new Map<string, Tensor>();
  return (name, shape) => {
    const known = leaves.get(name) ?? make(name, shape);
    leaves.set(name, known);
    return known;
  };
}
