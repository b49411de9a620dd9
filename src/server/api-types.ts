// What the page and the server say to each other, as types only: no import, no Node, no DOM. Bodies are JSON; answers
// that stream are Server-Sent Events, each `data:` line one JSON object of the union named below (lines that begin with
// ":" are pings). Every failure is an ApiErrorBody with a fitting HTTP status. When the server wants an API key, send
// `Authorization: Bearer KEY`; the printed address carries it as `#key=KEY`.
//
//   GET    /api/server                               → ServerInfo
//   GET    /api/models                               → ModelList
//   POST   /api/models/load            LoadRequest   → stream of LoadEvent
//   GET    /api/settings                             → Settings (of new conversations)
//   PUT    /api/settings               Settings      → Settings
//   GET    /api/conversations?query=&limit=&before=  → ConversationList (newest first; `before`: a `next` given earlier)
//   POST   /api/conversations          NewConversation     → Conversation
//   GET    /api/conversations/:id                    → Conversation
//   PATCH  /api/conversations/:id      ConversationChange  → ConversationSummary
//   DELETE /api/conversations/:id                    → Deleted
//   GET    /api/conversations/:id/export             → ConversationExport (as an attachment)
//   GET    /api/conversations/export                 → ConversationExport of all
//   POST   /api/conversations/import   ConversationExport  → Imported
//   POST   /api/conversations/:id/reply  ReplyRequest      → stream of ReplyStreamEvent
//   GET    /api/conversations/:id/reply              → stream of ReplyStreamEvent of the running reply; 404 when none runs
//   POST   /api/conversations/:id/stop               → Stopped
//   GET    /api/runs                                 → RunList (newest first)
//   GET    /api/runs/:name                           → RunDetails
//   GET    /api/runs/:name/metrics?after=            → RunMetrics (`after`: a `next` given earlier)
//   GET    /api/runs/:name/report                    → the report card, one HTML file (as an attachment)

/** Every failure, on every route. `code` is stable; the page shows `message`, which says what to do. */
export interface ApiErrorBody {
  readonly error: ApiError;
}

export interface ApiError {
  readonly message: string;
  /** "invalid_request_error", "not_found_error", "authentication_error", "permission_error", "conflict_error", "server_error". */
  readonly type: string;
  /** Such as "bad_request", "not_found", "context_length_exceeded", "reply_running", "out_of_memory", "internal_error". */
  readonly code: string;
  /** The field at fault, when there is one. */
  readonly param: string | null;
  /** Tokens, with code "context_length_exceeded". */
  readonly promptTokens?: number;
  readonly window?: number;
}

export interface ServerInfo {
  readonly name: "liang";
  readonly version: string;
  /** The model that answers when a conversation names none; null when there is no model at all. */
  readonly defaultModel: string | null;
  /** The folder that conversations and the model list lie in, to be shown. */
  readonly dataFolder: string;
  /** Whether there can be runs of training; a page without a server has none. */
  readonly trains: boolean;
}

// ---- models

export interface ModelEntry {
  /** What requests call it: "org/name:file" or a plain name. */
  readonly id: string;
  readonly path: string;
  /** Size of the file or folder; null when it is no longer there. */
  readonly bytes: number | null;
  /** The small model that Liang ships with. */
  readonly builtIn: boolean;
  /** Of a checkpoint: the run that made it, and after how many steps. Runs remove old ones. */
  readonly run?: { readonly name: string; readonly step: number };
  readonly state: "unloaded" | "loading" | "loaded";
  /** Present while loading. */
  readonly progress?: LoadProgress;
  /** Present when loaded. */
  readonly info?: LoadedModel;
}

export interface LoadedModel {
  readonly family: string;
  readonly parameters: number;
  /** Tokens a conversation may hold as loaded, and as the model was made. */
  readonly window: number;
  readonly trainedWindow: number;
  readonly memoryBytes: number;
  /** The kernel set that computes it, such as "wasm-relaxed", and on how many threads. */
  readonly tier: string;
  readonly threads: number;
  /** "none": the model was not made for chat; the conversation is given to it as plain text. */
  readonly template: "file" | "built-in" | "none";
  readonly loadMs: number;
}

export interface ModelList {
  readonly models: readonly ModelEntry[];
  /** Id of the model in memory, or being loaded; null when none is. */
  readonly current: string | null;
}

export interface LoadProgress {
  readonly label: string;
  readonly done: number;
  /** null while unknown. */
  readonly total: number | null;
  readonly unit: "bytes" | "tokens" | "tensors" | "items";
}

export interface LoadRequest {
  readonly model: string;
}

export type LoadEvent =
  | { readonly type: "load"; readonly progress: LoadProgress }
  | { readonly type: "loaded"; readonly model: ModelEntry }
  | { readonly type: "error"; readonly error: ApiError };

// ---- conversations

/** null or absent: the model's own default. */
export interface Settings {
  readonly systemPrompt?: string | null;
  /** 0 (greedy) … 5 */
  readonly temperature?: number | null;
  /** 0 < topP ≤ 1 */
  readonly topP?: number | null;
  /** 0 keeps all. */
  readonly topK?: number | null;
  /** 0 … 1 */
  readonly minP?: number | null;
  /** ≥ 1 */
  readonly maxTokens?: number | null;
  /** 0 … 2^53 - 1; null draws one for each reply. */
  readonly seed?: number | null;
}

export interface ConversationSummary {
  readonly id: string;
  readonly title: string;
  /** null: the server's default model. */
  readonly model: string | null;
  readonly settings: Settings;
  /** Id of the last message of the branch on show; null while empty. */
  readonly head: string | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** In search results: the text around the match in a message; absent when only the title matched. */
  readonly match?: string;
  /** A reply is being written now (GET …/reply attaches to it). */
  readonly replying: boolean;
}

export interface ConversationList {
  readonly conversations: readonly ConversationSummary[];
  /** Give as `before` to get the following ones; null at the end. */
  readonly next: string | null;
}

export interface Conversation extends ConversationSummary {
  /** All branches, oldest first; a message's siblings are those with the same `parent`. */
  readonly messages: readonly ConversationMessage[];
}

export interface ConversationMessage {
  readonly id: string;
  /** null: one of the conversation's first messages. */
  readonly parent: string | null;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly createdAt: number;
  /** "writing" only while its reply runs; "stopped" by the user or by the server's end; "failed" keeps what had come, with `error`. */
  readonly status: "complete" | "writing" | "stopped" | "failed";
  /** Of replies: which model wrote it. */
  readonly model?: string;
  /** Of complete replies. "length": maxTokens or the window's end was reached. */
  readonly finishReason?: "stop" | "length";
  readonly stats?: ReplyStats;
  readonly error?: ApiError;
}

export interface ReplyStats {
  readonly promptTokens: number;
  /** Of these, found in the cache. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Tokens the conversation may hold: for the gauge. */
  readonly window: number;
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
  readonly seed: number;
}

export interface NewConversation {
  readonly title?: string;
  readonly model?: string | null;
  /** Absent: a copy of GET /api/settings. */
  readonly settings?: Settings;
}

/** What is absent stays. `head`: any message's id, to show the branch it ends (or that continues under it, see `tip`). */
export interface ConversationChange {
  readonly title?: string;
  readonly model?: string | null;
  readonly settings?: Settings;
  readonly head?: string;
  /** With `head`: go on from it to the newest message below. */
  readonly tip?: boolean;
}

export interface Deleted {
  readonly deleted: true;
}

export interface ConversationExport {
  readonly format: "liang-conversations";
  readonly version: 1;
  readonly exportedAt: number;
  readonly conversations: readonly ExportedConversation[];
}

export interface ExportedConversation {
  readonly id: string;
  readonly title: string;
  readonly model: string | null;
  readonly settings: Settings;
  readonly head: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly messages: readonly ConversationMessage[];
}

/** Imported conversations get new ids, so importing twice gives two copies. */
export interface Imported {
  readonly ids: readonly string[];
}

// ---- replies

/**
 * - send: `{ parent: head, content }` stores the user's message under `parent` (null: a first message), then replies;
 * - edit and resend: the same with the `parent` of the edited message: the new one is its sibling;
 * - regenerate: `{ parent: idOfUserMessage }` without `content`: the new reply is a sibling of the old one.
 * Leaving the stream does not stop the reply; one conversation has one running reply (else 409, "reply_running").
 */
export interface ReplyRequest {
  readonly parent: string | null;
  readonly content?: string;
  /** Kept as the conversation's from now on. */
  readonly model?: string;
}

export type ReplyStreamEvent =
  /** First, always. `reply.content` is what has been written already (attaching later). `user` when it was just stored. */
  | {
      readonly type: "start";
      readonly conversation: ConversationSummary;
      readonly user?: ConversationMessage;
      readonly reply: ConversationMessage;
    }
  | { readonly type: "load"; readonly progress: LoadProgress }
  /** Prompt tokens read, of tokens to read. */
  | { readonly type: "prefill"; readonly done: number; readonly total: number }
  | { readonly type: "delta"; readonly text: string }
  /** Last, exactly one of these two. `reply` as stored: complete or stopped, or failed. */
  | { readonly type: "end"; readonly conversation: ConversationSummary; readonly reply: ConversationMessage }
  | {
      readonly type: "error";
      readonly error: ApiError;
      readonly conversation: ConversationSummary;
      readonly reply: ConversationMessage;
    };

export interface Stopped {
  /** false: no reply was running. */
  readonly stopped: boolean;
}

// ---- runs of training

export interface RunList {
  readonly runs: readonly RunOverview[];
}

export interface RunOverview {
  readonly name: string;
  readonly stage: string;
  /** "stopped": neither trained now nor at its last step. */
  readonly state: "running" | "done" | "stopped";
  readonly parameters: number;
  readonly step: number;
  readonly steps: number;
  /** Mean of the last steps' losses, nats a target; null before the first step. */
  readonly loss: number | null;
  /** Of what is held out, at the newest look; of texts nats a token. */
  readonly validation: number | null;
  /** Of the last steps. */
  readonly tokensPerSecond: number | null;
  /** Read in all steps. */
  readonly tokens: number;
  /** Time of all steps. */
  readonly trainedMs: number;
  /** Of the steps that are left, at the speed of the last ones. */
  readonly leftMs: number | null;
  /** ISO 8601. */
  readonly startedAt: string;
  /** When it last wrote something, in milliseconds since 1970. */
  readonly changedAt: number;
  /** The kernel set that trains it, and what products are computed in. */
  readonly tier: string;
  readonly precision: string;
  /** The version of the program, and the commit where it ran from a clone. */
  readonly code: { readonly version: string; readonly commit?: string };
  /** SHA-256 of what it learns from, in hexadecimal. */
  readonly dataHash: string;
}

export interface RunDetails extends RunOverview {
  /** With all fields written out. */
  readonly recipe: Readonly<Record<string, unknown>>;
  /** The card of its data; null for a run that kept none. */
  readonly data: RunData | null;
  /** The oldest first. `model` is an id as ModelEntry has; null: an adapter, with which alone nobody can talk. */
  readonly checkpoints: readonly { readonly step: number; readonly model: string | null; readonly savedAt: number }[];
}

/** What the page shows of a data card. */
export interface RunData {
  readonly documents: { readonly train: number; readonly validation: number };
  readonly characters: { readonly train: number; readonly validation: number };
  readonly duplicates: { readonly exact: number; readonly near: number };
  readonly sources: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
    /** null: nobody said. */
    readonly licence: string | null;
  }[];
}

export interface RunMetrics {
  readonly metrics: readonly RunMetric[];
  readonly next: string;
  /** These are all there are: forget what came before. */
  readonly isWhole: boolean;
}

/** A line of metrics.jsonl. `step`: how many there were by then. */
export type RunMetric =
  | {
      readonly type: "step";
      readonly step: number;
      /** Nats a target. */
      readonly loss: number;
      /** Length of the gradient. */
      readonly norm: number;
      /** Share of the peak learning rate. */
      readonly rate: number;
      readonly tokens: number;
      readonly ms: number;
      /** What else the objective measures. */
      readonly measures?: Readonly<Record<string, number>>;
    }
  | {
      readonly type: "left-out";
      readonly step: number;
      readonly loss: number | string;
      readonly norm: number | string;
      readonly reason: string;
    }
  | {
      readonly type: "validation";
      readonly step: number;
      readonly tokens: number;
      readonly nats_per_token: number;
      readonly perplexity: number;
      readonly bits_per_byte?: number;
    }
  /** Of pairs, answers and whatever else is no token of a text. */
  | {
      readonly type: "validation";
      readonly step: number;
      readonly elements: number;
      readonly loss: number;
      readonly measures: Readonly<Record<string, number>>;
    }
  | {
      readonly type: "sample";
      readonly step: number;
      readonly prompt: string;
      readonly text: string;
      /** The longest span of `text` that a training document has word for word; null: none; missing: nobody looked. */
      readonly copied?: {
        readonly text: string;
        readonly characters: number;
        readonly occurrences: number;
        readonly from: string;
      } | null;
      readonly reward?: number;
    }
  | {
      readonly type: "probes";
      readonly step: number;
      /** Questions whose right answer was the likeliest. */
      readonly right: number;
      readonly questions: number;
      readonly nats_per_token: number;
    }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string };
