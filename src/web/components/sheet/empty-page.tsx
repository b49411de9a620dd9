// Before the first message: which model it is, what it is good and bad at, and three ways to begin that work with it.
import type { ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openStore, send } from "../../state/conversation.ts";
import { shortName, wordsFor } from "../../state/model-words.ts";
import { modelEntry, modelStore } from "../../state/models.ts";
import { GetModels } from "../parts/get-models.tsx";

export function EmptyPage({ onSent }: { readonly onSent: () => void }): ReactElement | null {
  const { t } = useWords();
  const state = useStore(modelStore, (value) => value);
  const wanted = useStore(openStore, ({ conversation }) => conversation?.model ?? null) ?? state.chosen;
  if (state.models === undefined) return null; // known in a moment; a wrong sentence would flash
  const model = modelEntry(state, wanted);
  const { about, starters } = wordsFor(model);
  const { name, variant } = model === undefined ? { name: t("noModel"), variant: "" } : shortName(model.id);
  const begin = (text: string): void => {
    onSent();
    void send(text);
  };
  return (
    <section className="empty-page">
      <p className="motto" lang="zh" aria-hidden="true">
        量变引起质变
      </p>
      <h1>
        {name}
        {variant !== "" && <span className="model-variant">{variant}</span>}
      </h1>
      <p className="about">{t(about)}</p>
      {starters.length > 0 && (
        <ul className="starters" aria-label={t("starters")}>
          {starters.map((starter) => (
            <li key={starter}>
              <button type="button" onClick={() => begin(t(starter))}>
                {t(starter)}
              </button>
            </li>
          ))}
        </ul>
      )}
      {(model === undefined || model.builtIn) && (
        <div className="pull">
          <GetModels before="pullReal" />
        </div>
      )}
    </section>
  );
}
