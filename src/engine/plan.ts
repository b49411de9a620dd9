// What a model will take, counted before anything is allocated: "will it fit". The engine allocates by the same layout, and
// the executor counts what it then takes.
import { sum } from "../base/collections.ts";
import type { Executor, ParameterStore } from "../device/executor.ts";
import type { Model } from "../models/model.ts";
import { writes } from "../models/trace.ts";
import { bytesForRow } from "../numeric/registry.ts";
import { traceEncoder } from "./encoder.ts";
import { layoutOf, tracePrograms } from "./layout.ts";
import { roomBytes } from "./adapters.ts";
import type { EngineOptions, EnginePlan } from "./types.ts";

/** Growth of resident memory by reading a vocabulary: texts, merges, their tables, and what reading left. */
const VOCABULARY_BYTES_PER_ID = 100;

/** Counts bytes for `options`; throws UsageError as `openEngine` would. */
export async function plan(
  model: Model,
  store: Pick<ParameterStore, "parameters">,
  executor: Pick<Executor, "plan" | "promptRows">,
  options: EngineOptions,
  availableBytes: number,
): Promise<EnginePlan> {
  const layout = layoutOf(model, options, executor.promptRows);
  const { threads, precision, packs } = options;
  const reads = !writes(model);
  const graphs = reads ? traceEncoder(model, options).graphs : tracePrograms(model, layout);
  const use = await executor.plan(store, graphs, { threads, precision, packs });
  const groups = layout.source === undefined ? layout.groups : [...layout.groups, layout.source];
  const slotBytes = (reads ? [] : groups).map(({ group }) => {
    const states = group.valuesAreKeys === true ? 1 : 2;
    return states * group.layers * bytesForRow(layout.kvType, group.kvHeads * group.headSize);
  });
  const vocabularyBytes = model.vocabularySize * VOCABULARY_BYTES_PER_ID;
  const { weightBytes, stateBytes, arenaBytes, runtimeBytes, headroomBytes } = use;
  const adapterBytes = layout.adapters === undefined ? 0 : roomBytes(layout.adapters, model);
  const totalBytes = sum([weightBytes, stateBytes, arenaBytes, runtimeBytes, vocabularyBytes]);
  const reachableBytes = Math.min(availableBytes, totalBytes + headroomBytes);
  return {
    weightBytes,
    weightBytesPerToken: use.bytesPerToken[reads ? "encode" : "decode"],
    kvType: layout.kvType,
    kvBytes: stateBytes - adapterBytes,
    kvBytesPerToken: sum(slotBytes),
    adapterBytes,
    arenaBytes,
    runtimeBytes,
    vocabularyBytes,
    totalBytes,
    availableBytes: reachableBytes,
    fits: totalBytes <= reachableBytes,
  };
}
