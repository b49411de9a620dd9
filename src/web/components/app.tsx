// The page: conversations, sheet, instrument, and what lies over them.
import type { ReactElement } from "react";
import { useNarrow } from "../hooks/use-narrow.ts";
import { useShortcuts } from "../hooks/use-shortcuts.ts";
import { useStore } from "../hooks/use-store.ts";
import { useSwipes } from "../hooks/use-swipes.ts";
import { useTitle } from "../hooks/use-title.ts";
import { useWords } from "../hooks/use-words.ts";
import { closeDrawers, focusOn } from "../state/places.ts";
import { preferences } from "../state/preferences.ts";
import { Instrument } from "./instrument/instrument.tsx";
import { Sheet } from "./sheet/sheet.tsx";
import { ShortcutSheet } from "./shortcut-sheet.tsx";
import { Sidebar } from "./sidebar/sidebar.tsx";

export function App(): ReactElement {
  const { t } = useWords();
  const { sidebarOpen, instrumentOpen } = useStore(preferences, (state) => state);
  const narrow = useNarrow();
  useShortcuts();
  useSwipes();
  useTitle();
  return (
    <div
      className="page"
      data-sidebar={sidebarOpen ? "open" : "shut"}
      data-instrument={instrumentOpen ? "open" : "shut"}
    >
      <button type="button" className="skip" onClick={() => focusOn("composer")}>
        {t("skipToComposer")}
      </button>
      <Sidebar open={sidebarOpen} />
      <Sheet covered={narrow && (sidebarOpen || instrumentOpen)} />
      <Instrument open={instrumentOpen} />
      <div className="scrim" onClick={closeDrawers} aria-hidden="true" />
      <ShortcutSheet />
    </div>
  );
}
