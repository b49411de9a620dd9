// The model's name, and under it the models there are. Choosing one keeps it for the conversation and loads it at once;
// the bar of its loading stands where the name was chosen.
import { useEffect, useRef, type ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { noteFailure } from "../../state/connection.ts";
import { chooseModel, openStore } from "../../state/conversation.ts";
import { shortName } from "../../state/model-words.ts";
import { loadModel, modelEntry, modelStore, refreshModels } from "../../state/models.ts";
import { focusOn, registerFocus } from "../../state/places.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { GetModels } from "../parts/get-models.tsx";
import { Icon } from "../parts/icon.tsx";
import { LoadBar } from "../parts/load-bar.tsx";
import { Menu } from "../parts/menu.tsx";
import { ModelRow } from "./model-row.tsx";

function choose(model: string): void {
  void chooseModel(model);
  void loadModel(model);
  focusOn("composer");
}

export function ModelPicker(): ReactElement {
  const { t } = useWords();
  const state = useStore(modelStore, (value) => value);
  const wanted = useStore(openStore, ({ conversation }) => conversation?.model ?? null) ?? state.chosen;
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => registerFocus("model", () => button.current?.click()), []);
  const entry = modelEntry(state, wanted);
  const id = entry?.id ?? wanted ?? state.server?.defaultModel ?? undefined;
  const name = id === undefined ? { name: t("noModel"), variant: "" } : shortName(id);

  return (
    <div className="model-picker">
      <Menu
        label={t("switchModel")}
        className="model-button"
        buttonRef={button}
        onOpen={() => void refreshModels().catch((error: unknown) => noteFailure(error, refreshModels))}
        face={
          <>
            <span className="model-name">{name.name}</span>
            {name.variant !== "" && <span className="model-variant">{name.variant}</span>}
            <Icon name="down" />
          </>
        }
      >
        {(close) => (
          <>
            <div className="model-rows">
              {state.models?.map((model) => (
                <ModelRow
                  key={model.id}
                  model={model}
                  chosen={model.id === id}
                  onChoose={() => (close(), choose(model.id))}
                />
              ))}
            </div>
            <div className="get-more">
              <GetModels before="getMore" onChosen={close} />
            </div>
          </>
        )}
      </Menu>
      {state.loading !== undefined && (
        <LoadBar model={state.loading.model} progress={state.loading.progress} startedAt={state.loading.startedAt} />
      )}
      {state.error !== undefined && (
        <ErrorNote error={state.error} onDismiss={() => modelStore.set({ error: undefined })} />
      )}
    </div>
  );
}
