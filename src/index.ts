// Liang as a library: `import { load } from "liang"`. This is the whole door; docs/library.md walks through it.
export { load } from "./chat/load.ts";
export { describeModel, resolveModel, type ModelDescription } from "./chat/describe.ts";
export type {
  ChatOptions,
  GenerateOptions,
  LanguageModel,
  LoadOptions,
  MemoryPlan,
  Message,
  ModelInfo,
  RenderOptions,
  ReplyEvent,
  SamplingOptions,
  Timings,
  TokenLogprob,
  Tool,
  ToolCall,
  Usage,
} from "./chat/types.ts";
export type { OnProgress, Progress } from "./base/progress.ts";
export {
  ContextLengthError,
  FormatError,
  KernelError,
  LiangError,
  MemoryError,
  NotFoundError,
  ShapeError,
  UnsupportedError,
  UsageError,
  isAbort,
} from "./base/errors.ts";
export { TemplateError } from "./text/template-error.ts";
