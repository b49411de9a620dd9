// What every entry of the package gives besides its own `load`: the types and errors of a loaded model.
export type {
  AdapterInfo,
  AttachOptions,
  ChatOptions,
  EmbedOptions,
  Embeddings,
  GenerateOptions,
  LanguageModel,
  LoadOptions,
  MemoryPlan,
  Message,
  ModelInfo,
  Ranking,
  RenderOptions,
  RerankOptions,
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
