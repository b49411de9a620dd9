// The place of a reply that the server has not begun.
import type { ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";
import { ReplyProgress } from "./reply-progress.tsx";

export function PendingReply({ conversation }: { readonly conversation: string }): ReactElement {
  const { t } = useWords();
  return (
    <article className="message reply" aria-label={t("reply")} aria-busy>
      <ReplyProgress conversation={conversation} />
    </article>
  );
}
