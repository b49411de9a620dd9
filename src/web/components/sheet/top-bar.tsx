// Above the sheet: the way to the conversations, the model, the way to the settings.
import type { ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openConversation } from "../../state/conversation.ts";
import { focusOn, toggleInstrument, toggleSidebar } from "../../state/places.ts";
import { preferences } from "../../state/preferences.ts";
import { IconButton } from "../parts/icon-button.tsx";
import { ComputeFacts } from "./compute-facts.tsx";
import { ModelPicker } from "./model-picker.tsx";

export function TopBar(): ReactElement {
  const { t } = useWords();
  const { sidebarOpen, instrumentOpen } = useStore(preferences, (state) => state);
  return (
    <header className="top-bar">
      {!sidebarOpen && (
        <>
          <IconButton icon="sidebar" label={t("showSidebar")} aria-expanded={false} onClick={toggleSidebar} />
          <IconButton
            icon="plus"
            label={t("newConversation")}
            onClick={() => {
              void openConversation(null);
              focusOn("composer");
            }}
          />
        </>
      )}
      <ModelPicker />
      <ComputeFacts />
      <span className="grow" />
      <IconButton
        icon="sliders"
        label={instrumentOpen ? t("hideSettings") : t("showSettings")}
        aria-expanded={instrumentOpen}
        onClick={toggleInstrument}
      />
    </header>
  );
}
