// Conversations as they are stored → messages as a model reads them. Not here: where they are kept (store/), prompts.
import type { ConversationSettings, ConversationStore, StoredMessage } from "../store/storage.ts";
import type { Message } from "./types.ts";

/**
 * What the model reads: the system prompt and the branch. A reply of which nothing came is left out; the user's messages
 * around it become one, for many templates refuse two in a row.
 */
export function storedMessages(settings: ConversationSettings, path: readonly StoredMessage[]): Message[] {
  const messages: { role: "system" | "user" | "assistant"; content: string }[] = [];
  if (settings.systemPrompt) messages.push({ role: "system", content: settings.systemPrompt });
  for (const { role, content } of path) {
    const last = messages.at(-1);
    if (role === "assistant" && content === "") continue;
    if (last?.role === role) last.content += `\n\n${content}`;
    else messages.push({ role, content });
  }
  return messages;
}

/** Of every conversation the branch on show, the newest first; those without a message are left out. */
export async function* storedChats(conversations: Pick<ConversationStore, "list" | "path">): AsyncGenerator<Message[]> {
  for (let before: string | null = null; ;) {
    const { conversations: some, next } = await conversations.list(before === null ? {} : { before });
    for (const { id, head, settings } of some) {
      if (head !== null) yield storedMessages(settings, await conversations.path(id, head));
    }
    if (next === null) return;
    before = next;
  }
}
