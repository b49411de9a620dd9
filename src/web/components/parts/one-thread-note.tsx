// Says plainly that the page may use one thread only, and why. Can be put away for this visit.
import { useState, type ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { ownModels } from "../../state/own-models.ts";
import { IconButton } from "./icon-button.tsx";

export function OneThreadNote(): ReactElement | null {
  const { t } = useWords();
  const { own } = useStore(ownModels, (state) => state);
  const [seen, setSeen] = useState(false);
  if (own === undefined || own.sharesMemory || seen) return null;
  return (
    <div className="note" role="status">
      <p>{t("oneThread")}</p>
      <IconButton icon="close" label={t("dismiss")} onClick={() => setSeen(true)} />
    </div>
  );
}
