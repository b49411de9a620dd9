// Makes this conversation's settings those of new ones.
import { useState, type ReactElement } from "react";
import type { Settings } from "../../../server/api-types.ts";
import { useWords } from "../../hooks/use-words.ts";
import { saveAsDefaults } from "../../state/conversation.ts";

export function SaveForNew({ settings }: { readonly settings: Settings }): ReactElement {
  const { t } = useWords();
  const [saved, setSaved] = useState<Settings>(); // as long as they are these, they are saved
  return (
    <button
      type="button"
      className="button"
      disabled={saved === settings}
      onClick={() => void saveAsDefaults(settings).then((done) => setSaved(done ? settings : undefined))}
    >
      {saved === settings ? t("savedForNew") : t("saveForNew")}
    </button>
  );
}
