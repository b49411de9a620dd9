// Liang as a library in a browser's worker: `import { load } from "liang/browser"`; docs/browser.md walks through it.
export { load, type ModelSource } from "./chat/load-files.ts";
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
