// The bar of a model that is being loaded, with bytes and seconds.
import { useEffect, useState, type ReactElement } from "react";
import type { LoadProgress } from "../../../server/api-types.ts";
import { useWords } from "../../hooks/use-words.ts";
import { shortName } from "../../state/model-words.ts";
import { Bar } from "./bar.tsx";

interface LoadBarProps {
  readonly model: string;
  readonly progress: LoadProgress | undefined;
  readonly startedAt: number;
}

export function LoadBar({ model, progress, startedAt }: LoadBarProps): ReactElement {
  const { t, bytes, integer } = useWords();
  const seconds = useSecondsSince(startedAt);
  const form = progress?.unit === "bytes" ? bytes : integer;
  const total = progress?.total ?? undefined;
  let amount = "";
  if (progress !== undefined) {
    amount =
      total === undefined ? form(progress.done) : t("bytesOf", { done: form(progress.done), total: form(total) });
  }
  return (
    <Bar
      label={t("loadingModel", { model: shortName(model).name })}
      done={progress?.done ?? 0}
      total={total}
      amount={amount}
      seconds={t("seconds", { seconds: integer(seconds) })}
    />
  );
}

/** Whole seconds since a moment; draws again each second. */
export function useSecondsSince(startedAt: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, Math.floor((now - startedAt) / 1000));
}
