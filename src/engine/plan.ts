// What a model will take, counted before anything is allocated: "will it fit". The engine allocates by the same layout.
import type { ParameterStore } from "../device/executor.ts";
import { liveRanges, planArena } from "../device/planner.ts";
import type { Graph } from "../graph/index.ts";
import type { Model } from "../models/model.ts";
import { layoutOf, tracePrograms } from "./layout.ts";
import type { EngineOptions, EnginePlan } from "./types.ts";

/** An id's strings, map entries and merges in a JS heap. */
const VOCABULARY_BYTES_PER_ID = 200;
const ARENA_ALIGNMENT = 64; // a cache line, as the CPU executor plans
const F32_BYTES = 4;

/** Counts bytes for `options`; throws UsageError as `openEngine` would. */
export function plan(model: Model, store: ParameterStore, options: EngineOptions, availableBytes: number): EnginePlan {
  const layout = layoutOf(model, options);
  const elementBytes = layout.kvType === "f16" ? 2 : F32_BYTES;
  const slotBytes = layout.groups.map(({ group }) => 2 * group.layers * group.kvHeads * group.headSize * elementBytes);
  const weightBytes = sum([...model.parameters.keys()].map((name) => store.parameters.get(name)?.byteLength ?? 0));
  const kvBytes = sum(layout.groups.map(({ pages }, i) => pages * layout.pageSize * slotBytes[i]));
  const arenaBytes = Math.max(...Object.values(tracePrograms(model, layout)).map(arenaBytesOf));
  const vocabularyBytes = model.vocabularySize * VOCABULARY_BYTES_PER_ID;
  const totalBytes = weightBytes + kvBytes + arenaBytes + vocabularyBytes;
  return {
    weightBytes,
    kvBytes,
    kvBytesPerToken: sum(slotBytes),
    arenaBytes,
    vocabularyBytes,
    totalBytes,
    availableBytes,
    fits: totalBytes <= availableBytes,
  };
}

/** Values of a graph in one arena, at the extents' bounds. */
function arenaBytesOf(graph: Graph): number {
  const values = liveRanges(graph).map((range) => ({ ...range, bytes: range.elements * F32_BYTES }));
  return planArena(values, ARENA_ALIGNMENT).bytes;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
