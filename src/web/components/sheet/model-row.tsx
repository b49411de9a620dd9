// One model in the picker: its name, its size, and whether it is in memory.
import type { ReactElement } from "react";
import type { ModelEntry } from "../../../server/api-types.ts";
import { useWords, type Words } from "../../hooks/use-words.ts";
import { formatParameters } from "../../state/format.ts";
import { computeWords, shortName } from "../../state/model-words.ts";
import { Icon } from "../parts/icon.tsx";

interface ModelRowProps {
  readonly model: ModelEntry;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function factsOf(model: ModelEntry, { t, bytes, integer }: Words): string[] {
  const { info } = model;
  return [
    ...(model.bytes === null ? [t("missingFile")] : [bytes(model.bytes)]),
    ...(info === undefined ? [] : [t("parameters", { count: formatParameters(info.parameters) })]),
    ...(model.builtIn ? [t("builtIn")] : []),
    ...(model.state === "loaded" ? [t("loaded")] : []),
    ...(info === undefined ? [] : [computeWords(info, { t, integer })]),
    ...(model.state === "loading" ? [t("loading")] : []),
  ];
}

export function ModelRow({ model, chosen, onChoose }: ModelRowProps): ReactElement {
  const words = useWords();
  const { name, variant } = shortName(model.id);
  return (
    <button
      type="button"
      role="menuitemradio"
      aria-checked={chosen}
      className="model-row"
      title={`${model.id}\n${model.path}`}
      disabled={model.bytes === null}
      onClick={onChoose}
    >
      <span className="model-row-name">
        {name} {variant !== "" && <span className="model-variant">{variant}</span>}
      </span>
      <span className="model-row-facts">{factsOf(model, words).join(" · ")}</span>
      {chosen && <Icon name="check" />}
    </button>
  );
}
