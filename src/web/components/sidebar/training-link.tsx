// The way to the runs of training, where what answers the page can have any.
import type { ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { modelStore } from "../../state/models.ts";
import { closeDrawers } from "../../state/places.ts";
import { showRunsInAddress, viewStore } from "../../state/view.ts";
import { Icon } from "../parts/icon.tsx";

export function TrainingLink(): ReactElement | null {
  const { t } = useWords();
  const trains = useStore(modelStore, ({ server }) => server?.trains ?? false);
  const isOpen = useStore(viewStore, ({ view }) => view === "runs");
  if (!trains) return null;
  return (
    <a
      className="sidebar-link"
      href="?runs"
      aria-current={isOpen ? "page" : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return; // another tab or window, as links do
        event.preventDefault();
        if (!isOpen) showRunsInAddress([], true);
        closeDrawers();
      }}
    >
      <Icon name="chart" /> {t("training")}
    </a>
  );
}
