// The quiet line under a reply: which model, how fast, how soon, how full the window is.
import type { ReactElement } from "react";
import type { ConversationMessage } from "../../../server/api-types.ts";
import { useWords } from "../../hooks/use-words.ts";
import { shortName } from "../../state/model-words.ts";

export function ReplyLine({ message }: { readonly message: ConversationMessage }): ReactElement {
  const { t, integer, decimal, duration } = useWords();
  const { stats, model, status, finishReason } = message;
  const facts: string[] = [];
  if (model !== undefined) facts.push(shortName(model).name);
  if (status === "stopped") facts.push(t("stoppedByYou"));
  if (finishReason === "length") facts.push(t("cutByLength"));
  if (stats !== undefined) {
    facts.push(t("tokensPerSecond", { rate: decimal(stats.tokensPerSecond) }));
    facts.push(t("firstToken", { time: duration(stats.firstTokenMs) }));
    const used = integer(stats.promptTokens + stats.completionTokens);
    facts.push(t("tokensOfWindow", { used, window: integer(stats.window) }));
  }
  const title =
    stats === undefined
      ? undefined
      : t("seedWas", { seed: stats.seed, cached: integer(stats.cachedTokens), prompt: integer(stats.promptTokens) });
  return (
    <p className="reply-line" title={title}>
      {facts.map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
    </p>
  );
}
