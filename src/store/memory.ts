// Storage in memory, for hosts without files and databases: a page keeps what `onChange` tells, and gives it back at its
// next start. Everything is copied in and out, so that nobody changes what is stored by holding it.
import { NotFoundError, show } from "../base/errors.ts";
import { LIST_LIMIT_DEFAULT, cursorAfter, parseCursor, withNewIds } from "./conversation-parts.ts";
import { excerpt, fold, queryWords } from "./fold.ts";
import type {
  ConversationPage,
  ConversationQuery,
  ConversationStore,
  Storage,
  StoredConversation,
  StoredMessage,
  WholeConversation,
} from "./storage.ts";

/** All that is stored. */
export interface MemoryContents {
  readonly conversations: readonly WholeConversation[];
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What changed; a conversation that is undefined was deleted. */
export type MemoryChange =
  | { readonly kind: "conversation"; readonly id: string; readonly whole: WholeConversation | undefined }
  | { readonly kind: "setting"; readonly key: string; readonly value: unknown };

export interface MemoryStorageOptions {
  readonly contents?: MemoryContents;
  /** Hears of every change, after it. */
  readonly onChange?: (change: MemoryChange) => void;
}

export function createMemoryStorage({ contents, onChange = () => {} }: MemoryStorageOptions = {}): Storage {
  const settings = new Map(Object.entries(contents?.settings ?? {}));
  const close = async (): Promise<void> => {};
  return {
    conversations: createConversations(contents?.conversations ?? [], (id, whole) =>
      onChange({ kind: "conversation", id, whole }),
    ),
    settings: {
      get: async (key) => structuredClone(settings.get(key)),
      async set(key, value) {
        settings.set(key, structuredClone(value));
        onChange({ kind: "setting", key, value });
      },
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Entry {
  conversation: StoredConversation;
  /** Oldest first. */
  readonly messages: Map<string, StoredMessage>;
}

function createConversations(
  begun: readonly WholeConversation[],
  changed: (id: string, whole: WholeConversation | undefined) => void,
): ConversationStore {
  const entries = new Map<string, Entry>();
  const put = (conversation: StoredConversation, messages: readonly StoredMessage[]): Entry => {
    const entry = { conversation, messages: new Map(messages.map((message) => [message.id, message])) };
    entries.set(conversation.id, entry);
    return entry;
  };
  for (const { messages, ...conversation } of structuredClone(begun)) put(conversation, messages);

  const find = (id: string): Entry => {
    const entry = entries.get(id);
    if (entry === undefined) throw new NotFoundError(`There is no conversation ${show(id)}.`);
    return entry;
  };
  const messageOf = ({ messages }: Entry, id: string): StoredMessage => {
    const message = messages.get(id);
    if (message === undefined) throw new NotFoundError(`There is no message ${show(id)} in this conversation.`);
    return message;
  };
  const whole = ({ conversation, messages }: Entry): WholeConversation =>
    structuredClone({ ...conversation, messages: [...messages.values()] });
  const tell = (entry: Entry): void => changed(entry.conversation.id, whole(entry));

  return {
    list: async (query) => list([...entries.values()], query),

    get: async (id) => structuredClone(find(id).conversation),

    getWhole: async (id) => whole(find(id)),

    async create({ title, model, settings }) {
      const now = Date.now();
      const value = { id: crypto.randomUUID(), title, model, settings, head: null, createdAt: now, updatedAt: now };
      tell(put(structuredClone(value), []));
      return value;
    },

    async change(id, { title, model, settings, head }) {
      const entry = find(id);
      const old = entry.conversation;
      if (head !== undefined) messageOf(entry, head);
      entry.conversation = structuredClone({
        ...old,
        title: title ?? old.title,
        model: model === undefined ? old.model : model,
        settings: settings ?? old.settings,
        head: head ?? old.head,
        updatedAt: title === undefined ? old.updatedAt : Date.now(),
      });
      tell(entry);
      return structuredClone(entry.conversation);
    },

    async delete(id) {
      find(id);
      entries.delete(id);
      changed(id, undefined);
    },

    async addMessage(id, { parent, role, content, status, ...detail }) {
      const entry = find(id);
      if (parent !== null) messageOf(entry, parent);
      const now = Date.now();
      const message: StoredMessage = structuredClone({
        id: crypto.randomUUID(),
        parent,
        role,
        content,
        status,
        createdAt: now,
        ...detail,
      });
      entry.messages.set(message.id, message);
      entry.conversation = { ...entry.conversation, head: message.id, updatedAt: now };
      tell(entry);
      return structuredClone(message);
    },

    async writeMessage(id, { content, status, ...detail }) {
      const entry = [...entries.values()].find(({ messages }) => messages.has(id));
      if (entry === undefined) throw new NotFoundError(`There is no message ${show(id)}.`);
      const { parent, role, createdAt } = messageOf(entry, id);
      const message = structuredClone({ id, parent, role, content, createdAt, status, ...detail });
      entry.messages.set(id, message);
      tell(entry);
      return structuredClone(message);
    },

    async path(conversation, id) {
      const entry = find(conversation);
      const path = [messageOf(entry, id)];
      for (let { parent } = path[0]; parent !== null; { parent } = path[0]) path.unshift(messageOf(entry, parent));
      return structuredClone(path);
    },

    async tip(conversation, id) {
      const entry = find(conversation);
      let at = messageOf(entry, id).id;
      for (;;) {
        const child = [...entry.messages.values()].findLast(({ parent }) => parent === at);
        if (child === undefined) return at;
        at = child.id;
      }
    },

    async import(conversations) {
      // all are copied before the first is stored, so that a bad one leaves nothing behind
      const copies = conversations.map((one, index) => withNewIds(structuredClone(one), `conversations[${index}]`));
      for (const { conversation, messages } of copies) tell(put(conversation, messages));
      return copies.map(({ conversation }) => conversation.id);
    },
  };
}

function list(entries: readonly Entry[], query: ConversationQuery = {}): ConversationPage {
  const { limit = LIST_LIMIT_DEFAULT, before } = query;
  const words = queryWords(query.query ?? "");
  const cursor = before === undefined ? undefined : parseCursor(before);
  const found = entries
    .filter(({ conversation }) => cursor === undefined || isNewer(cursor, conversation))
    .filter(({ conversation, messages }) => {
      const texts = [conversation.title, ...[...messages.values()].map(({ content }) => content)].map(fold);
      return words.every((word) => texts.some((text) => text.includes(word)));
    })
    .sort((a, b) => (isNewer(a.conversation, b.conversation) ? -1 : 1));
  const shown = found.slice(0, limit).map((entry) => {
    const match = firstMatch(entry, words);
    return match === undefined ? entry.conversation : { ...entry.conversation, match };
  });
  const last = shown.at(-1);
  return {
    conversations: structuredClone(shown),
    next: found.length > limit && last !== undefined ? cursorAfter(last) : null,
  };
}

type Dated = Pick<StoredConversation, "updatedAt" | "id">;
const isNewer = (a: Dated, b: Dated): boolean =>
  a.updatedAt === b.updatedAt ? a.id > b.id : a.updatedAt > b.updatedAt;

function firstMatch({ messages }: Entry, words: readonly string[]): string | undefined {
  for (const word of words) {
    const message = [...messages.values()].find(({ content }) => fold(content).includes(word));
    if (message !== undefined) return excerpt(message.content, word);
  }
  return undefined;
}
