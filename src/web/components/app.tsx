// The page: conversations, sheet, instrument, and what lies over them.
import { Suspense, lazy, type ReactElement } from "react";
import { useNarrow } from "../hooks/use-narrow.ts";
import { useShortcuts } from "../hooks/use-shortcuts.ts";
import { useStore } from "../hooks/use-store.ts";
import { useSwipes } from "../hooks/use-swipes.ts";
import { useTitle } from "../hooks/use-title.ts";
import { useWords } from "../hooks/use-words.ts";
import { closeDrawers, focusOn } from "../state/places.ts";
import { preferences } from "../state/preferences.ts";
import { viewStore } from "../state/view.ts";
import { Instrument } from "./instrument/instrument.tsx";
import { Sheet } from "./sheet/sheet.tsx";
import { ShortcutSheet } from "./shortcut-sheet.tsx";
import { Sidebar } from "./sidebar/sidebar.tsx";

/** With it come the charts, which conversations do without. */
const RunsView = lazy(() => import("./runs/runs-view.tsx"));

export function App(): ReactElement {
  const { t } = useWords();
  const { sidebarOpen, instrumentOpen } = useStore(preferences, (state) => state);
  const narrow = useNarrow();
  const isChat = useStore(viewStore, ({ view }) => view === "chat");
  const settingsOpen = instrumentOpen && isChat; // there are none of runs
  const covered = narrow && (sidebarOpen || settingsOpen);
  useShortcuts();
  useSwipes();
  useTitle();
  return (
    <div className="page" data-sidebar={sidebarOpen ? "open" : "shut"} data-instrument={settingsOpen ? "open" : "shut"}>
      {isChat && (
        <button type="button" className="skip" onClick={() => focusOn("composer")}>
          {t("skipToComposer")}
        </button>
      )}
      <Sidebar open={sidebarOpen} />
      {isChat ? (
        <Sheet covered={covered} />
      ) : (
        <Suspense fallback={<main className="sheet" aria-busy="true" />}>
          <RunsView covered={covered} />
        </Suspense>
      )}
      <Instrument open={settingsOpen} />
      <div className="scrim" onClick={closeDrawers} aria-hidden="true" />
      <ShortcutSheet />
    </div>
  );
}
