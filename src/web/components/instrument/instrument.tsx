// The settings of the conversation, or of new ones while none is open, and the numbers of the last reply.
import type { ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { changeSettings, openStore, shownSettings } from "../../state/conversation.ts";
import { toggleInstrument } from "../../state/places.ts";
import { IconButton } from "../parts/icon-button.tsx";
import { LastReply } from "./last-reply.tsx";
import { NumberRow } from "./number-row.tsx";
import { SaveForNew } from "./save-for-new.tsx";
import { ranges } from "./ranges.ts";
import { SystemPrompt } from "./system-prompt.tsx";

export function Instrument({ open }: { readonly open: boolean }): ReactElement {
  const { t } = useWords();
  const id = useStore(openStore, (state) => state.id);
  const settings = useStore(openStore, shownSettings);
  const changed = Object.values(settings).some((value) => value !== null && value !== undefined && value !== "");
  return (
    <aside className="instrument" aria-label={t("settings")} inert={!open}>
      <header className="instrument-head">
        <div>
          <h2>{t("settings")}</h2>
          <p>{id === null ? t("forNew") : t("forThis")}</p>
        </div>
        <IconButton icon="close" label={t("hideSettings")} onClick={toggleInstrument} />
      </header>
      <div className="instrument-rows" key={id}>
        <SystemPrompt
          value={settings.systemPrompt ?? ""}
          onChange={(systemPrompt) => void changeSettings({ ...settings, systemPrompt })}
        />
        {ranges.map((range) => (
          <NumberRow
            key={range.name}
            range={range}
            value={settings[range.name] ?? null}
            onChange={(value) => void changeSettings({ ...settings, [range.name]: value })}
          />
        ))}
        <div className="instrument-actions">
          <button type="button" className="button" disabled={!changed} onClick={() => void changeSettings({})}>
            {t("reset")}
          </button>
          {id !== null && <SaveForNew settings={settings} />}
        </div>
        <LastReply />
      </div>
    </aside>
  );
}
