// What lasting storage must offer, whatever keeps it: conversations as trees of messages, and settings. Everything is
// asynchronous, so that a database on another machine fits. Body: sqlite.ts.

export interface ConversationSettings {
  readonly systemPrompt?: string | null;
  readonly temperature?: number | null;
  readonly topP?: number | null;
  readonly topK?: number | null;
  readonly minP?: number | null;
  readonly maxTokens?: number | null;
  readonly seed?: number | null;
}

export interface StoredConversation {
  readonly id: string;
  readonly title: string;
  readonly model: string | null;
  readonly settings: ConversationSettings;
  /** Id of the last message of the branch on show. */
  readonly head: string | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a stored reply knows besides its text; the store keeps it as it is. */
export interface MessageDetail {
  readonly model?: string;
  readonly finishReason?: "stop" | "length";
  readonly stats?: {
    readonly promptTokens: number;
    readonly cachedTokens: number;
    readonly completionTokens: number;
    readonly window: number;
    readonly firstTokenMs: number;
    readonly tokensPerSecond: number;
    readonly seed: number;
  };
  readonly error?: {
    readonly message: string;
    readonly type: string;
    readonly code: string;
    readonly param: string | null;
    readonly promptTokens?: number;
    readonly window?: number;
  };
}

export interface StoredMessage extends MessageDetail {
  readonly id: string;
  readonly parent: string | null;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly createdAt: number;
  /** A reply is stored as "stopped" while it is written, so that a crash needs no repair. */
  readonly status: "complete" | "stopped" | "failed";
}

export interface ConversationQuery {
  /** Words that must each occur in the title or in a message; any script, any part of a word, case and width ignored. */
  readonly query?: string;
  /** At most this many. Default 50. */
  readonly limit?: number;
  /** A `next` given earlier. */
  readonly before?: string;
}

export interface ConversationPage {
  /** Newest first; `match` is the text around the first word found in a message. */
  readonly conversations: readonly (StoredConversation & { readonly match?: string })[];
  readonly next: string | null;
}

export interface WholeConversation extends StoredConversation {
  /** Oldest first; a parent comes before its children. */
  readonly messages: readonly StoredMessage[];
}

/** Methods that name a conversation or message throw NotFoundError when it is not there. */
export interface ConversationStore {
  list(query?: ConversationQuery): Promise<ConversationPage>;
  get(id: string): Promise<StoredConversation>;
  getWhole(id: string): Promise<WholeConversation>;
  create(conversation: {
    title: string;
    model: string | null;
    settings: ConversationSettings;
  }): Promise<StoredConversation>;
  /** What is undefined stays. A `head` must be a message of this conversation. Only a new title or message is an update. */
  change(
    id: string,
    change: { title?: string; model?: string | null; settings?: ConversationSettings; head?: string },
  ): Promise<StoredConversation>;
  delete(id: string): Promise<void>;
  /** Adds a message under `parent` (null: a first message) and makes it the head. */
  addMessage(
    conversation: string,
    message: {
      parent: string | null;
      role: StoredMessage["role"];
      content: string;
      status: StoredMessage["status"];
    } & MessageDetail,
  ): Promise<StoredMessage>;
  /** Replaces a message's text, status and detail. */
  writeMessage(
    id: string,
    message: { content: string; status: StoredMessage["status"] } & MessageDetail,
  ): Promise<StoredMessage>;
  /** The messages from the first one to `message`, both included. */
  path(conversation: string, message: string): Promise<StoredMessage[]>;
  /** From `message` down to a leaf, always by the newest child. */
  tip(conversation: string, message: string): Promise<string>;
  /** Stores copies under new ids, all or none, and gives the conversations' new ids. Throws FormatError. */
  import(conversations: readonly WholeConversation[]): Promise<string[]>;
}

export interface SettingsStore {
  /** JSON values by key; undefined when never set. */
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

export interface Storage extends AsyncDisposable {
  readonly conversations: ConversationStore;
  readonly settings: SettingsStore;
  close(): Promise<void>;
}
