// One reply: perhaps its thinking, its text, a failure in place, and the quiet line with what can be done with it.
import { memo, type ReactElement } from "react";
import type { ConversationMessage } from "../../../server/api-types.ts";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { splitThought } from "../../markdown/thought.ts";
import { regenerate } from "../../state/conversation.ts";
import { liveReply, replies } from "../../state/replies.ts";
import { Markdown } from "../markdown/markdown.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { ErrorNote } from "../parts/error-note.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { ReplyLine } from "./reply-line.tsx";
import { ReplyProgress } from "./reply-progress.tsx";
import { Thought } from "./thought.tsx";
import { sameMessage } from "./user-message.tsx";
import { VersionSwitch } from "./version-switch.tsx";

interface ReplyProps {
  readonly conversation: string;
  readonly message: ConversationMessage;
  readonly versions: readonly ConversationMessage[];
  /** It is being written now. */
  readonly live: boolean;
  /** A reply of this conversation, perhaps another, is being written. */
  readonly busy: boolean;
}

export const Reply = memo(function Reply({ conversation, message, versions, live, busy }: ReplyProps): ReactElement {
  const { t } = useWords();
  const growing = useStore(replies, () => (live ? liveReply(conversation)?.text : undefined));
  const text = growing ?? message.content;
  const { thought, thoughtEnded, answer } = splitThought(text);
  const again = (): void => void regenerate(message);
  return (
    <article className="message reply" aria-label={t("reply")} aria-busy={live}>
      {thought !== undefined && <Thought text={thought} live={live && !thoughtEnded} />}
      {live && text === "" && <ReplyProgress conversation={conversation} />}
      {answer !== "" && <Markdown text={answer} live={live} />}
      {message.status === "failed" && message.error !== undefined && (
        <ErrorNote
          error={message.error}
          more={text === "" ? undefined : t("cameSoFar")}
          onRetry={busy || message.error.code === "context_length_exceeded" ? undefined : again}
        />
      )}
      {!live && (
        <footer className="reply-foot">
          <ReplyLine message={message} />
          <div className="actions">
            <VersionSwitch message={message} versions={versions} disabled={busy} />
            {answer !== "" && <CopyButton text={answer} label={t("copy")} />}
            <IconButton icon="again" label={t("regenerate")} disabled={busy} onClick={again} />
          </div>
        </footer>
      )}
    </article>
  );
}, sameMessage);
