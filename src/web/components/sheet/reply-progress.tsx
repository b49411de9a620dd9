// What a reply waits for before its first word: the model coming into memory, the prompt being read.
import type { ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { liveReply, replies } from "../../state/replies.ts";
import { modelStore } from "../../state/models.ts";
import { openStore } from "../../state/conversation.ts";
import { Bar } from "../parts/bar.tsx";
import { LoadBar, useSecondsSince } from "../parts/load-bar.tsx";

/** A prompt this short is read before a bar could be. */
const BAR_TOKENS_MIN = 64;

export function ReplyProgress({ conversation }: { readonly conversation: string }): ReactElement | null {
  const { t, integer } = useWords();
  const live = useStore(replies, () => liveReply(conversation));
  const chosen = useStore(openStore, (state) => state.conversation?.model ?? null);
  const fallback = useStore(modelStore, ({ server }) => server?.defaultModel ?? "");
  const seconds = useSecondsSince(live?.startedAt ?? 0);
  if (live === undefined) return null;
  if (live.phase === "load")
    return <LoadBar model={chosen ?? fallback} progress={live.load} startedAt={live.startedAt} />;
  if (live.phase === "prefill" && live.prefill !== undefined && live.prefill.total >= BAR_TOKENS_MIN) {
    const { done, total } = live.prefill;
    return (
      <Bar
        label={t("reading")}
        done={done}
        total={total}
        amount={t("readingTokens", { done: integer(done), total: integer(total) })}
        seconds={t("seconds", { seconds: integer(seconds) })}
      />
    );
  }
  return (
    <p className="waiting" role="status">
      <span className="live-dot" aria-hidden="true" /> {t("waiting")}
    </p>
  );
}
