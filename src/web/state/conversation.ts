// The conversation on show, and everything one does with it: open, send, edit, write again, stop, switch versions, change
// its model and settings. Failures are kept beside it, and what was typed comes back to the message box.
import type {
  ApiError,
  Conversation,
  ConversationChange,
  ConversationMessage,
  ConversationSummary,
  NewConversation,
  ReplyRequest,
  Settings,
} from "../../server/api-types.ts";
import { ApiFailure, asApiError, request } from "../api/client.ts";
import { noteFailure } from "./connection.ts";
import { listStore, noteSummary } from "./conversation-list.ts";
import { draftOf, setDraft } from "./drafts.ts";
import { modelStore, refreshModels } from "./models.ts";
import { attachToReply, liveReply, requestReply } from "./replies.ts";
import { createStore } from "./store.ts";
import { branchTo, tipUnder, withMessages } from "./tree.ts";
import { followAddress } from "./view.ts";

export interface OpenConversation {
  /** null: a new one that is not stored yet. */
  readonly id: string | null;
  /** undefined while it is fetched. */
  readonly conversation: Conversation | undefined;
  readonly error: ApiError | undefined;
  /** Settings of new conversations; undefined until asked for. */
  readonly defaults: Settings | undefined;
  /** The message being edited. */
  readonly editing: string | undefined;
}

export const openStore = createStore<OpenConversation>({
  id: null,
  conversation: undefined,
  error: undefined,
  defaults: undefined,
  editing: undefined,
});

const listener = {
  stored(summary: ConversationSummary, messages: readonly ConversationMessage[]): void {
    noteSummary(summary);
    openStore.set(({ id, conversation }) => {
      if (id !== summary.id || conversation === undefined) return {};
      return { conversation: { ...withMessages(conversation, messages), ...summary } };
    });
  },
};

/** Once the server answers again: what could not be fetched is fetched, and the complaint goes. */
async function recover(): Promise<void> {
  await refreshModels();
  const { id, conversation, error } = openStore.get();
  if (error?.code === "unreachable") openStore.set({ error: undefined });
  if (id !== null && conversation === undefined) await openConversation(id, false);
  else await refreshOpen();
}

const fail = (conversation: string | null, error: unknown): void => {
  noteFailure(error, recover);
  if (openStore.get().id === conversation) openStore.set({ error: asApiError(error) });
};

// ---- which one is on show; the address carries it, so that reload, back and forward work

export function conversationInAddress(): string | null {
  return new URLSearchParams(location.search).get("c");
}

/** Shows a conversation, null a new one. `remember`: make it a step of the browser's history. */
export async function openConversation(id: string | null, remember = true): Promise<void> {
  if (remember) history.pushState(null, "", id === null ? location.pathname : `?c=${encodeURIComponent(id)}`);
  followAddress();
  openStore.set({ id, conversation: undefined, error: undefined, editing: undefined });
  if (id === null) return;
  try {
    const conversation = await request<Conversation>("GET", `conversations/${encodeURIComponent(id)}`);
    if (openStore.get().id !== id) return;
    openStore.set({ conversation });
    if (conversation.replying && liveReply(id) === undefined) await attach(conversation);
  } catch (error) {
    fail(id, error);
    const gone = error instanceof ApiFailure && error.status === 404;
    if (gone && openStore.get().id === id) openStore.set({ error: { ...error.error, code: "conversation_gone" } });
  }
}

async function attach(conversation: Conversation): Promise<void> {
  const writing = conversation.messages.findLast(({ status }) => status === "writing");
  try {
    await attachToReply(conversation.id, writing?.parent ?? conversation.head, listener);
  } catch (error) {
    // It ended between the two questions: what is stored now is all of it.
    if (error instanceof ApiFailure && error.status === 404) await reopen(conversation.id);
    else fail(conversation.id, error);
  }
}

async function reopen(id: string): Promise<void> {
  const conversation = await request<Conversation>("GET", `conversations/${encodeURIComponent(id)}`);
  noteSummary(conversation);
  if (openStore.get().id !== id || liveReply(id) !== undefined) return; // it goes on here already
  openStore.set({ conversation });
  if (conversation.replying) await attach(conversation);
}

/** Takes in what another tab has done with the conversation on show, and what a stream that was lost did not bring. */
export async function refreshOpen(): Promise<void> {
  const { id, conversation } = openStore.get();
  if (id === null || conversation === undefined || liveReply(id) !== undefined) return;
  const listed = listStore.get().items.find((item) => item.id === id);
  const goesOnElsewhere = listed !== undefined && (listed.updatedAt > conversation.updatedAt || listed.replying);
  if (goesOnElsewhere || conversation.messages.some(({ status }) => status === "writing")) await reopen(id);
}

// ---- asking for replies

async function reply(conversation: string, body: ReplyRequest): Promise<void> {
  if (openStore.get().id === conversation) openStore.set({ error: undefined, editing: undefined });
  try {
    await requestReply(conversation, body, listener);
  } catch (error) {
    // Never stored, or lost on the way: the words go back to where they were typed.
    const stored = openStore.get().conversation?.messages.some(({ content }) => content === body.content) ?? false;
    if (body.content !== undefined && !stored && draftOf(conversation) === "") setDraft(conversation, body.content);
    fail(conversation, error);
  }
  await refreshModels().catch(() => undefined); // for the model's state; the reply itself is in already
}

/** Sends a message at the end of the branch on show, in a new conversation when none is open. */
export async function send(content: string): Promise<void> {
  const { id, conversation } = openStore.get();
  if (id !== null) {
    if (conversation === undefined || liveReply(id) !== undefined) return;
    setDraft(id, "");
    return await reply(id, { parent: conversation.head, content });
  }
  if (creating) return; // a second click
  creating = true;
  openStore.set({ error: undefined });
  setDraft(null, "");
  try {
    const body: NewConversation = { model: modelStore.get().chosen };
    const created = await request<Conversation>("POST", "conversations", body);
    creating = false;
    noteSummary(created);
    history.pushState(null, "", `?c=${encodeURIComponent(created.id)}`);
    openStore.set({ id: created.id, conversation: created });
    await reply(created.id, { parent: null, content });
  } catch (error) {
    creating = false;
    setDraft(null, content);
    fail(null, error);
  }
}

let creating = false;

/** Writes the reply again, as another version; without a message the last one of the branch. */
export async function regenerate(message?: ConversationMessage): Promise<void> {
  const { id, conversation } = openStore.get();
  if (id === null || conversation === undefined || liveReply(id) !== undefined) return;
  const last = branchTo(conversation.messages, conversation.head).at(-1);
  const target = message ?? last;
  if (target === undefined) return;
  await reply(id, { parent: target.role === "user" ? target.id : target.parent });
}

/** Sends an edited message beside the one it was; the old branch stays. */
export async function resend(message: ConversationMessage, content: string): Promise<void> {
  const { id } = openStore.get();
  if (id === null || liveReply(id) !== undefined) return;
  await reply(id, { parent: message.parent, content });
}

export async function stopReply(): Promise<void> {
  const { id } = openStore.get();
  if (id === null || liveReply(id) === undefined) return;
  try {
    await request("POST", `conversations/${id}/stop`);
  } catch (error) {
    fail(id, error);
  }
}

export function editMessage(id: string | undefined): void {
  openStore.set({ editing: id });
}

export function editLast(): void {
  const { id, conversation } = openStore.get();
  if (conversation === undefined || liveReply(id) !== undefined) return;
  const last = branchTo(conversation.messages, conversation.head).findLast(({ role }) => role === "user");
  if (last !== undefined) editMessage(last.id);
}

export function dismissError(): void {
  openStore.set({ error: undefined });
}

// ---- changing the conversation

async function changeConversation(change: ConversationChange, shown: Partial<Conversation>): Promise<void> {
  const { id, conversation } = openStore.get();
  if (id === null || conversation === undefined) return;
  openStore.set({ conversation: { ...conversation, ...shown }, error: undefined });
  try {
    const summary = await request<ConversationSummary>("PATCH", `conversations/${id}`, change);
    listener.stored(summary, []);
  } catch (error) {
    if (openStore.get().id === id) openStore.set({ conversation });
    fail(id, error);
  }
}

/** Shows another version of a message, going on to its newest end. */
export async function showVersion(message: ConversationMessage): Promise<void> {
  const { conversation } = openStore.get();
  if (conversation === undefined) return;
  await changeConversation({ head: message.id, tip: true }, { head: tipUnder(conversation.messages, message.id) });
}

export async function chooseModel(model: string): Promise<void> {
  modelStore.set({ chosen: model });
  await changeConversation({ model }, { model });
}

/** The settings on show: the conversation's, else those of new ones. */
export function shownSettings({ conversation, defaults }: OpenConversation): Settings {
  return conversation?.settings ?? defaults ?? NO_SETTINGS;
}

const NO_SETTINGS: Settings = {};

export async function refreshDefaults(): Promise<void> {
  openStore.set({ defaults: await request<Settings>("GET", "settings") });
}

export async function changeSettings(settings: Settings): Promise<void> {
  if (openStore.get().id === null) await saveAsDefaults(settings);
  else await changeConversation({ settings }, { settings });
}

/** True once they are stored. */
export async function saveAsDefaults(settings: Settings): Promise<boolean> {
  const { defaults, id } = openStore.get();
  openStore.set({ defaults: settings, error: undefined });
  try {
    openStore.set({ defaults: await request<Settings>("PUT", "settings", settings) });
    return true;
  } catch (error) {
    openStore.set({ defaults });
    fail(id, error);
    return false;
  }
}
