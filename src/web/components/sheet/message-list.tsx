// The branch on show, from the first message to the last, and what is being asked or written at its end.
import type { ReactElement } from "react";
import type { Conversation, ConversationMessage } from "../../../server/api-types.ts";
import { useStore } from "../../hooks/use-store.ts";
import { openStore } from "../../state/conversation.ts";
import { liveReply, replies } from "../../state/replies.ts";
import { branchTo, versionsOf } from "../../state/tree.ts";
import { PendingReply } from "./pending-reply.tsx";
import { Reply } from "./reply.tsx";
import { UserMessage } from "./user-message.tsx";

export function MessageList({ conversation }: { readonly conversation: Conversation }): ReactElement {
  const { id, messages, head } = conversation;
  const editing = useStore(openStore, (state) => state.editing);
  // Only what places the reply: its text is watched by the reply itself, so that a word draws one message, not all.
  const live = useStore(replies, () => liveReply(id) !== undefined);
  const written = useStore(replies, () => liveReply(id)?.message);
  const parent = useStore(replies, () => liveReply(id)?.parent ?? null);
  const asked = useStore(replies, () => liveReply(id)?.asked);
  const pending = live && written === undefined;
  const branch = branchTo(messages, pending ? parent : head);

  const draw = (message: ConversationMessage): ReactElement => {
    const versions = versionsOf(messages, message);
    if (message.role === "assistant") {
      return (
        <Reply
          key={message.id}
          conversation={id}
          message={message}
          versions={versions}
          live={message.id === written}
          busy={live}
        />
      );
    }
    return (
      <UserMessage
        key={message.id}
        message={message}
        versions={versions}
        editing={editing === message.id}
        busy={live}
      />
    );
  };

  return (
    <>
      {branch.map(draw)}
      {pending && asked !== undefined && (
        <UserMessage message={unsent(asked, parent)} versions={[]} editing={false} busy />
      )}
      {pending && <PendingReply conversation={id} />}
    </>
  );
}

/** The user's words while the server has not said that it has them. */
const unsent = (content: string, parent: string | null): ConversationMessage => ({
  id: "unsent",
  parent,
  role: "user",
  content,
  createdAt: 0,
  status: "complete",
});
