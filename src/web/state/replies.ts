// Replies that are being written, by conversation: their text as it comes, and before it what is waited for. A stream
// that breaks is taken up again where it is.
import type {
  ConversationMessage,
  ConversationSummary,
  LoadProgress,
  ReplyRequest,
  ReplyStreamEvent,
} from "../../server/api-types.ts";
import { ApiFailure, stream } from "../api/client.ts";
import { createPacedText, type PacedText } from "./paced-text.ts";
import { createStore } from "./store.ts";

export interface LiveReply {
  /** What the reply answers; on show while it has no message of its own. */
  readonly parent: string | null;
  /** The user's words, until the server has stored them. */
  readonly asked: string | undefined;
  /** The reply's message, once it is there. */
  readonly message: string | undefined;
  readonly phase: "waiting" | "load" | "prefill" | "text";
  readonly load: LoadProgress | undefined;
  readonly prefill: { readonly done: number; readonly total: number } | undefined;
  readonly text: string;
  readonly startedAt: number;
}

/** What the open conversation takes in when something has been stored. */
export interface ReplyListener {
  stored(conversation: ConversationSummary, messages: readonly ConversationMessage[]): void;
}

export const replies = createStore<{ byConversation: Readonly<Record<string, LiveReply>> }>({ byConversation: {} });

const texts = new Map<string, PacedText>();

const RETRY_MS = [300, 1000, 2000, 4000, 8000];

function change(conversation: string, part: Partial<LiveReply>): void {
  replies.set(({ byConversation }) => {
    const reply = byConversation[conversation];
    return reply === undefined ? {} : { byConversation: { ...byConversation, [conversation]: { ...reply, ...part } } };
  });
}

function begin(conversation: string, reply: Pick<LiveReply, "parent" | "asked">): void {
  const fresh: LiveReply = {
    ...reply,
    message: undefined,
    phase: "waiting",
    load: undefined,
    prefill: undefined,
    text: "",
    startedAt: Date.now(),
  };
  replies.set(({ byConversation }) => ({ byConversation: { ...byConversation, [conversation]: fresh } }));
}

function drop(conversation: string): void {
  replies.set(({ byConversation }) => {
    const { [conversation]: _, ...others } = byConversation;
    return { byConversation: others };
  });
}

export const liveReply = (conversation: string | null): LiveReply | undefined =>
  conversation === null ? undefined : replies.get().byConversation[conversation];

/** Asks for a reply and follows it to its end. Throws ApiFailure when it never began. */
export async function requestReply(conversation: string, body: ReplyRequest, listener: ReplyListener): Promise<void> {
  begin(conversation, { parent: body.parent, asked: body.content });
  await follow(
    conversation,
    () => stream<ReplyStreamEvent>("POST", `conversations/${conversation}/reply`, body),
    listener,
  );
}

/** Takes up a reply that runs already, after a reload or from another tab. Throws ApiFailure, 404 when none runs. */
export async function attachToReply(
  conversation: string,
  parent: string | null,
  listener: ReplyListener,
): Promise<void> {
  begin(conversation, { parent, asked: undefined });
  await follow(conversation, () => attach(conversation), listener);
}

const attach = (conversation: string): AsyncIterable<ReplyStreamEvent> =>
  stream<ReplyStreamEvent>("GET", `conversations/${conversation}/reply`);

async function follow(
  conversation: string,
  open: () => AsyncIterable<ReplyStreamEvent>,
  listener: ReplyListener,
): Promise<void> {
  let began = false;
  let source = open;
  try {
    for (let failures = 0; ; failures++) {
      try {
        for await (const event of source()) {
          if (event.type === "start") [began, failures] = [true, 0];
          if (takeIn(conversation, event, listener)) return;
        }
        throw new ApiFailure(
          { message: "the stream ended early", type: "server_error", code: "unreachable", param: null },
          0,
        );
      } catch (error) {
        const broken = error instanceof ApiFailure && error.status === 0;
        if (!began || !broken || failures >= RETRY_MS.length) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS[failures]));
        source = () => attach(conversation);
      }
    }
  } finally {
    texts.get(conversation)?.cancel();
    texts.delete(conversation);
    drop(conversation);
  }
}

/** True at the reply's end. */
function takeIn(conversation: string, event: ReplyStreamEvent, listener: ReplyListener): boolean {
  switch (event.type) {
    case "start":
      listener.stored(event.conversation, event.user === undefined ? [event.reply] : [event.user, event.reply]);
      texts.get(conversation)?.cancel();
      texts.set(
        conversation,
        createPacedText(event.reply.content, (text) => change(conversation, { text, phase: "text" })),
      );
      change(conversation, {
        message: event.reply.id,
        parent: event.reply.parent,
        asked: undefined,
        text: event.reply.content,
        phase: event.reply.content === "" ? "waiting" : "text",
        startedAt: event.reply.createdAt,
      });
      return false;
    case "load":
      change(conversation, { phase: "load", load: event.progress });
      return false;
    case "prefill":
      change(conversation, { phase: "prefill", prefill: { done: event.done, total: event.total } });
      return false;
    case "delta":
      texts.get(conversation)?.add(event.text);
      return false;
    case "end":
    case "error":
      listener.stored(event.conversation, [event.reply]);
      return true;
  }
  return event satisfies never;
}
