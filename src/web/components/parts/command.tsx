// A command to be copied; it breaks after / : and -, where a narrow page must break it.
import type { ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";
import { CopyButton } from "./copy-button.tsx";

export function Command({ text }: { readonly text: string }): ReactElement {
  const { t } = useWords();
  return (
    <div className="command">
      <code>
        {text.split(/(?<=[/:-])/).map((piece, index) => (
          <span key={index}>
            {piece}
            <wbr />
          </span>
        ))}
      </code>
      <CopyButton text={text} label={t("copyCommand")} />
    </div>
  );
}
