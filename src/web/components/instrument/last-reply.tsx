// The numbers of the last reply: what filled the window.
import type { ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openStore } from "../../state/conversation.ts";
import { lastStats } from "../sheet/window-gauge.tsx";

export function LastReply(): ReactElement | null {
  const { t, integer, decimal, duration } = useWords();
  const stats = useStore(openStore, lastStats);
  if (stats === undefined) return null;
  const rows = [
    [t("promptTokens"), integer(stats.promptTokens)],
    [t("cachedTokens"), integer(stats.cachedTokens)],
    [t("replyTokens"), integer(stats.completionTokens)],
    [t("windowTokens"), integer(stats.window)],
    [t("seed"), String(stats.seed)],
  ];
  return (
    <section className="last-reply">
      <h3>{t("thisReply")}</h3>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="number">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="number hint">
        {t("tokensPerSecond", { rate: decimal(stats.tokensPerSecond) })} ·{" "}
        {t("firstToken", { time: duration(stats.firstTokenMs) })}
      </p>
    </section>
  );
}
