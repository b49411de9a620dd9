// The store's edge: what lasts, as the layers above see it.
export { codeFolder, keptCodeBytes } from "./code-cache.ts";
export { openDataFolder } from "./data-folder.ts";
export { dataSetPaths } from "./data-sets.ts";
export { parseModelName, type ModelName } from "./model-name.ts";
export { listWithAdapters, listWithFile } from "./list-with-file.ts";
export { openModelList, type AddOptions, type ListedModel, type ModelList } from "./models.ts";
export { openPackCache, packedFolder, type PackCache } from "./pack-cache.ts";
export { withCheckpoints, type RunCheckpoint } from "./run-checkpoints.ts";
export {
  openRunReader,
  type MetricsPart,
  type RunDetails,
  type RunOverview,
  type RunReader,
  type RunState,
} from "./run-reader.ts";
export {
  listRuns,
  ownRun,
  readDataCard,
  readMetrics,
  readRunFacts,
  readRunRecipe,
  runFolder,
  runsFolder,
  saveReport,
  type Metric,
  type OwnRun,
  type RunFacts,
  type RunFolder,
} from "./runs.ts";
export { heldOutLoss, type CopiedText, type RunLine, type RunLineOf, type Validation } from "./run-lines.ts";
export { openSqliteStorage } from "./sqlite.ts";
export { openStaticFolder, type StaticFolder } from "./static-folder.ts";
export type * from "./storage.ts";
export { pullData, type PulledData } from "./hub/pull-data.ts";
export { pullModel, type PulledModel } from "./hub/pull.ts";
export type { PullOptions } from "./hub/repository.ts";
