// How much of the model's window the conversation has taken, as of the last reply on the branch.
import type { ReactElement } from "react";
import type { ReplyStats } from "../../../server/api-types.ts";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openStore, type OpenConversation } from "../../state/conversation.ts";
import { branchTo } from "../../state/tree.ts";

const NEARLY_FULL = 0.85;

export function lastStats({ conversation }: OpenConversation): ReplyStats | undefined {
  if (conversation === undefined) return undefined;
  return branchTo(conversation.messages, conversation.head).findLast(({ stats }) => stats !== undefined)?.stats;
}

/** `window`: of the loaded model, known before the first reply. */
export function WindowGauge({ window }: { readonly window: number | undefined }): ReactElement | null {
  const { t, integer } = useWords();
  const stats = useStore(openStore, lastStats);
  const size = stats?.window ?? window;
  if (size === undefined) return null;
  const used = stats === undefined ? 0 : stats.promptTokens + stats.completionTokens;
  const share = Math.min(1, used / size);
  const facts = { used: integer(used), window: integer(size) };
  return (
    <span
      className={share >= NEARLY_FULL ? "gauge nearly-full" : "gauge"}
      role="meter"
      aria-valuemin={0}
      aria-valuemax={size}
      aria-valuenow={used}
      aria-label={used === 0 ? t("gaugeEmpty", facts) : t("gauge", facts)}
      title={used === 0 ? t("gaugeEmpty", facts) : t("gauge", facts)}
    >
      <span className="gauge-track">
        <span className="gauge-fill" style={{ transform: `scaleX(${share})` }} />
      </span>
      <span className="number">
        {facts.used} / {facts.window}
      </span>
      {share >= NEARLY_FULL && <span>{t("gaugeNearFull")}</span>}
    </span>
  );
}
