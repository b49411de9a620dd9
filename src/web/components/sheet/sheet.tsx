// The sheet: the bar above, the conversation, the message box below.
import { useState, type ReactElement } from "react";
import { useFollowEnd } from "../../hooks/use-follow-end.ts";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { dismissError, openStore } from "../../state/conversation.ts";
import { connection } from "../../state/connection.ts";
import { liveReply, replies } from "../../state/replies.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { OneThreadNote } from "../parts/one-thread-note.tsx";
import { Composer } from "./composer.tsx";
import { EmptyPage } from "./empty-page.tsx";
import { MessageList } from "./message-list.tsx";
import { TopBar } from "./top-bar.tsx";

/** From here on messages out of sight are not laid out (message.css). */
const MANY_MESSAGES = 40;

export function Sheet({ covered }: { readonly covered: boolean }): ReactElement {
  const { t } = useWords();
  const { id, conversation, error } = useStore(openStore, (state) => state);
  const waiting = useStore(replies, () => liveReply(id)?.message);
  const asked = useStore(replies, () => liveReply(id)?.startedAt !== undefined);
  const reachable = useStore(connection, (state) => state.reachable);
  const [sent, setSent] = useState(0);
  const { scroller, content, away, toEnd } = useFollowEnd(`${conversation?.id} ${sent}`);
  const empty = id === null || (conversation?.messages.length === 0 && !asked);
  const messages = conversation?.messages.length ?? 0;
  const onSent = (): void => setSent((count) => count + 1);

  return (
    <main className="sheet" aria-label={t("conversation")} inert={covered}>
      <TopBar />
      <div className="scroller" ref={scroller} tabIndex={-1}>
        <div className="scrolled" ref={content}>
          <div className={messages > MANY_MESSAGES ? "column many" : "column"} role={empty ? undefined : "log"}>
            {empty ? (
              <EmptyPage onSent={onSent} />
            ) : (
              conversation !== undefined && <MessageList conversation={conversation} />
            )}
          </div>
          <div className="composer-place">
            {away && <IconButton icon="down" className="to-end" label={t("toEnd")} onClick={toEnd} />}
            {error !== undefined && (
              <ErrorNote error={error} more={reachable ? undefined : t("retrying")} onDismiss={dismissError} />
            )}
            <OneThreadNote />
            <Composer key={id} conversation={id} replying={asked} stoppable={waiting !== undefined} onSent={onSent} />
          </div>
        </div>
      </div>
    </main>
  );
}
