// The way to another model: the command for the page's server, or files for a page that runs models itself.
import { useRef, type ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openModelFiles, ownModels } from "../../state/own-models.ts";
import { Icon } from "./icon.tsx";
import { PullCommand } from "./pull-command.tsx";

interface GetModelsProps {
  /** The sentences around it, with a server and without. */
  readonly before: "getMore" | "pullReal";
  readonly onChosen?: () => void;
}

export function GetModels({ before, onChosen }: GetModelsProps): ReactElement {
  const { t } = useWords();
  const { own } = useStore(ownModels, (state) => state);
  if (own !== undefined) return <OpenModel before={before} {...(onChosen !== undefined && { onChosen })} />;
  return (
    <>
      <p>{t(before)}</p>
      <PullCommand />
      {before === "pullReal" && <p className="then">{t("thenReload")}</p>}
    </>
  );
}

function OpenModel({ before, onChosen }: GetModelsProps): ReactElement {
  const { t } = useWords();
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      {before === "pullReal" && <p>{t("openReal")}</p>}
      <button type="button" className="button open-model" data-item onClick={() => chooser.current?.click()}>
        <Icon name="open" /> {t("openModel")}
      </button>
      <input
        ref={chooser}
        type="file"
        accept=".gguf,.safetensors,.json"
        multiple
        hidden
        aria-label={t("openModel")}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = ""; // the same file may be chosen again
          onChosen?.();
          void openModelFiles(files);
        }}
      />
      <p className="then">{t("openModelHint")}</p>
    </>
  );
}
