// Replies being written in conversations. A reply belongs to the server, not to the tab that asked for it: it goes on when
// the reader leaves, is stored as it grows, and any number of readers can attach at any time. A reader holds no queue: it
// knows how much text it has seen and takes the rest. Not here: HTTP (conversations.ts), what a reply is made of (chat).
import { isAbort } from "../../base/errors.ts";
import { storedMessages } from "../../chat/stored-chats.ts";
import type { ChatOptions, ReplyEvent } from "../../chat/types.ts";
import type {
  ConversationSettings,
  MessageDetail,
  Storage,
  StoredConversation,
  StoredMessage,
} from "../../store/index.ts";
import type { ConversationMessage, ConversationSummary, LoadProgress, ReplyStreamEvent } from "../api-types.ts";
import { HttpError, reportError } from "../errors.ts";
import type { ModelPool } from "../model-pool.ts";
import { createSignalled, type Signalled } from "../signalled.ts";
import { toProgress } from "./models.ts";
import { ReplyMeter } from "./reply-meter.ts";

// A crash loses at most this much of a reply.
const SAVE_EVERY_MS = 1_000;

export interface ReplyRunner {
  /**
   * Starts the reply to the user's message that `prepare` gives (isNew: it was stored just now), and gives its events.
   * Throws HttpError 409 "reply_running" before `prepare` is called while one runs; what `prepare` throws.
   */
  start(
    conversation: string,
    prepare: () => Promise<{ message: StoredMessage; isNew: boolean }>,
  ): Promise<AsyncIterable<ReplyStreamEvent>>;
  /** The running reply's events from now on; undefined when none runs. */
  attach(conversation: string): AsyncIterable<ReplyStreamEvent> | undefined;
  /** Ends the running reply, keeping what is there, and waits until it is stored; false when none runs. */
  stop(conversation: string): Promise<boolean>;
  /** Id of the message being written; undefined when none is. */
  writing(conversation: string): string | undefined;
  /** Stops all. */
  close(): Promise<void>;
}

/** How far a running reply is. The last state has the stored message. */
interface ReplyState {
  readonly text: string;
  readonly load?: LoadProgress;
  readonly prefill?: { readonly done: number; readonly total: number };
  readonly stored?: StoredMessage;
}

interface Running {
  /** As it was at the start. */
  readonly conversation: StoredConversation;
  readonly message: StoredMessage;
  readonly state: Signalled<ReplyState>;
  readonly abort: AbortController;
  /** Resolves when the reply is stored; never rejects. */
  done: Promise<void>;
}

/** Makes the runner; `log` hears of what fails inside. */
export function createReplyRunner(options: {
  storage: Storage;
  pool: ModelPool;
  log: (error: unknown) => void;
}): ReplyRunner {
  const { storage, pool, log } = options;
  const running = new Map<string, Running>();
  const starting = new Set<string>();

  const writing = (conversation: string) => running.get(conversation)?.message.id;

  const write = async ({ conversation, message, state, abort }: Running): Promise<void> => {
    let text = "";
    let savedMs = Date.now();
    let detail: MessageDetail = {};
    const save = (status: StoredMessage["status"]) =>
      storage.conversations.writeMessage(message.id, { content: text, status, ...detail });
    const settle = async (status: StoredMessage["status"]) => {
      let stored: StoredMessage = { ...message, content: text, status, ...detail };
      try {
        stored = await save(status);
      } catch (error) {
        log(error); // deleted meanwhile, or the disk is full: the readers still get the reply
      }
      running.delete(conversation.id);
      state.set({ text, stored });
      state.end();
    };
    try {
      const path = await storage.conversations.path(conversation.id, message.parent!);
      using lease = await pool.acquire(conversation.model ?? undefined, {
        signal: abort.signal,
        onProgress: (progress) => state.set({ text, load: toProgress(progress) }),
      });
      detail = { model: lease.name };
      const { window } = lease.model.info;
      const meter = new ReplyMeter(window);
      const chatOptions = { ...toChatOptions(conversation.settings), signal: abort.signal };
      for await (const event of lease.model.chat(storedMessages(conversation.settings, path), chatOptions)) {
        meter.note(event);
        detail = { ...detail, stats: meter.stats };
        if (event.type === "prefill") state.set({ text, prefill: { done: event.done, total: event.total } });
        else if (event.type === "text-delta" && event.text !== "") {
          text += event.text;
          state.set({ text });
          if (Date.now() - savedMs > SAVE_EVERY_MS) {
            savedMs = Date.now();
            await save("stopped");
          }
        } else if (event.type === "end") {
          detail = { ...detail, ...toDetail(event, window) };
        }
      }
      await settle("complete");
    } catch (error) {
      if (isAbort(error) && abort.signal.aborted) await settle("stopped");
      else {
        detail = { ...detail, error: reportError(error, log) };
        await settle("failed");
      }
    }
  };

  async function* follow(reply: Running, user?: StoredMessage): AsyncGenerator<ReplyStreamEvent> {
    const { id } = reply.conversation;
    const summary = async (): Promise<ConversationSummary> => {
      // When it was deleted meanwhile, what was known of it.
      const now = await storage.conversations.get(id).catch(() => reply.conversation);
      return toSummary(now, writing(id) !== undefined);
    };
    let hasStarted = false;
    let sentLength = 0;
    for await (const { text, load, prefill, stored } of reply.state.values()) {
      if (!hasStarted) {
        hasStarted = true;
        sentLength = text.length;
        const message: ConversationMessage = { ...reply.message, content: text, status: "writing" };
        yield { type: "start", conversation: { ...(await summary()), replying: true }, user, reply: message };
      } else if (text.length > sentLength) {
        const delta = text.slice(sentLength);
        sentLength = text.length;
        yield { type: "delta", text: delta };
      }
      if (load !== undefined) yield { type: "load", progress: load };
      if (prefill !== undefined) yield { type: "prefill", ...prefill };
      if (stored === undefined) continue;
      yield stored.error === undefined
        ? { type: "end", conversation: await summary(), reply: stored }
        : { type: "error", error: stored.error, conversation: await summary(), reply: stored };
    }
  }

  return {
    writing,

    async start(id, prepare) {
      if (running.has(id) || starting.has(id)) {
        throw new HttpError(409, "reply_running", "A reply of this conversation is being written.", {
          hint: "Wait for it or stop it.",
        });
      }
      starting.add(id);
      try {
        const { message: parent, isNew } = await prepare();
        // Stored as stopped while it is written: after a crash that is what it is.
        const content = { parent: parent.id, role: "assistant", content: "", status: "stopped" } as const;
        const message = await storage.conversations.addMessage(id, content);
        const conversation = await storage.conversations.get(id);
        const state = createSignalled<ReplyState>();
        state.set({ text: "" });
        const reply: Running = { conversation, message, state, abort: new AbortController(), done: Promise.resolve() };
        running.set(id, reply);
        reply.done = write(reply);
        return follow(reply, isNew ? parent : undefined);
      } finally {
        starting.delete(id);
      }
    },

    attach(id) {
      const reply = running.get(id);
      return reply === undefined ? undefined : follow(reply);
    },

    async stop(id) {
      const reply = running.get(id);
      reply?.abort.abort();
      await reply?.done;
      return reply !== undefined;
    },

    async close() {
      const replies = [...running.values()];
      for (const reply of replies) reply.abort.abort();
      await Promise.all(replies.map((reply) => reply.done));
    },
  };
}

/** A stored conversation as the page sees it. */
export function toSummary(
  conversation: StoredConversation & { match?: string },
  replying: boolean,
): ConversationSummary {
  const { id, title, model, settings, head, createdAt, updatedAt, match } = conversation;
  return {
    id,
    title,
    model,
    settings,
    head,
    createdAt,
    updatedAt,
    replying,
    match,
  };
}

function toChatOptions(settings: ConversationSettings): ChatOptions {
  const { temperature, topP, topK, minP, maxTokens, seed } = settings;
  const given = Object.entries({ temperature, topP, topK, minP, maxTokens, seed }).filter(([, value]) => value != null);
  return Object.fromEntries(given);
}

function toDetail(event: ReplyEvent & { type: "end" }, window: number): MessageDetail {
  const { promptTokens, cachedTokens, completionTokens } = event.usage;
  const { firstTokenMs, decodeTokensPerSecond: tokensPerSecond } = event.timings;
  const stats = {
    promptTokens,
    cachedTokens,
    completionTokens,
    window,
    firstTokenMs,
    tokensPerSecond,
    seed: event.seed,
  };
  return { finishReason: event.finishReason, stats };
}
