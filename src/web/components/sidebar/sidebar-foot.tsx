// How the page looks, its keyboard, and all conversations to and from a file.
import { useRef, type ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import type { MessageKey } from "../../i18n/en.ts";
import { exportConversations, importConversations } from "../../state/conversation-list.ts";
import { places } from "../../state/places.ts";
import { preferences, setPreferences, type LanguageChoice, type ThemeChoice } from "../../state/preferences.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { Menu } from "../parts/menu.tsx";
import { saveAsFile } from "../parts/save-as-file.ts";

const THEMES: readonly { readonly choice: ThemeChoice; readonly label: MessageKey; readonly icon: IconName }[] = [
  { choice: "system", label: "themeSystem", icon: "half" },
  { choice: "light", label: "themeLight", icon: "sun" },
  { choice: "dark", label: "themeDark", icon: "moon" },
];
const LANGUAGES: readonly { readonly choice: LanguageChoice; readonly label: MessageKey }[] = [
  { choice: "system", label: "languageSystem" },
  { choice: "zh", label: "languageZh" },
  { choice: "en", label: "languageEn" },
];

async function exportAll(): Promise<void> {
  const exported = await exportConversations();
  if (exported !== undefined) saveAsFile("liang-conversations.json", JSON.stringify(exported, null, 1));
}

export function SidebarFoot(): ReactElement {
  const { t, language: shown } = useWords();
  const { theme, language } = useStore(preferences, (state) => state);
  const file = useRef<HTMLInputElement>(null);
  return (
    <footer className="sidebar-foot">
      <Menu
        label={t("theme")}
        className="icon-button theme-button"
        face={<Icon name={THEMES.find(({ choice }) => choice === theme)?.icon ?? "half"} />}
      >
        {(close) =>
          THEMES.map(({ choice, label, icon }) => (
            <button
              key={choice}
              type="button"
              role="menuitemradio"
              aria-checked={choice === theme}
              onClick={() => (close(), setPreferences({ theme: choice }))}
            >
              <Icon name={icon} /> {t(label)}
            </button>
          ))
        }
      </Menu>
      <Menu
        label={t("language")}
        className="icon-button language-button"
        face={<span className="language-face">{shown === "zh" ? "文" : "En"}</span>}
      >
        {(close) =>
          LANGUAGES.map(({ choice, label }) => (
            <button
              key={choice}
              type="button"
              role="menuitemradio"
              aria-checked={choice === language}
              onClick={() => (close(), setPreferences({ language: choice }))}
            >
              {t(label)}
            </button>
          ))
        }
      </Menu>
      <IconButton icon="keyboard" label={t("shortcuts")} onClick={() => places.set({ shortcutsOpen: true })} />
      <span className="grow" />
      <Menu label={t("conversations")} className="icon-button files-button" face={<Icon name="more" />}>
        {(close) => (
          <>
            <button type="button" role="menuitem" onClick={() => (close(), void exportAll())}>
              <Icon name="save" /> {t("exportAll")}
            </button>
            <button type="button" role="menuitem" onClick={() => (close(), file.current?.click())}>
              <Icon name="open" /> {t("importFile")}
            </button>
          </>
        )}
      </Menu>
      <input
        ref={file}
        type="file"
        accept=".json,application/json"
        hidden
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          event.target.value = ""; // the same file may be chosen again
          if (chosen !== undefined) void importConversations(chosen);
        }}
      />
    </footer>
  );
}
