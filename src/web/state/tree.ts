// A conversation is a tree: editing and writing again make siblings, nothing is overwritten. These find the branch on
// show, the versions beside a message, and where a branch goes on. Pure; the server keeps the tree itself.
import type { Conversation, ConversationMessage } from "../../server/api-types.ts";

type Messages = readonly ConversationMessage[];

/** From the first message to `head`, in reading order; empty for null or an unknown id. */
export function branchTo(messages: Messages, head: string | null): ConversationMessage[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const branch: ConversationMessage[] = [];
  let message = head === null ? undefined : byId.get(head);
  while (message !== undefined) {
    branch.push(message);
    byId.delete(message.id); // each once: a broken tree ends instead of turning round for ever
    message = message.parent === null ? undefined : byId.get(message.parent);
  }
  return branch.reverse();
}

/** All versions of a message, itself among them, oldest first. */
export function versionsOf(messages: Messages, message: ConversationMessage): ConversationMessage[] {
  return messages.filter(({ parent, role }) => parent === message.parent && role === message.role);
}

/** The newest message below `id`, going on from it; `id` itself when nothing follows. */
export function tipUnder(messages: Messages, id: string): string {
  let tip = id;
  for (let steps = 0; steps < messages.length; steps++) {
    const next = messages.findLast(({ parent }) => parent === tip);
    if (next === undefined) break;
    tip = next.id;
  }
  return tip;
}

/** The conversation with messages added, or replaced where their id is known. */
export function withMessages(conversation: Conversation, changed: Messages): Conversation {
  const byId = new Map(changed.map((message) => [message.id, message]));
  const kept = conversation.messages.map((message) => {
    const fresh = byId.get(message.id);
    byId.delete(message.id);
    return fresh ?? message;
  });
  return { ...conversation, messages: [...kept, ...byId.values()] };
}
