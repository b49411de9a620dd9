// The exact command that gets a model one can talk with: 1.1 GB, quick on two cores, good in Chinese and English.
import type { ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";
import { CopyButton } from "./copy-button.tsx";

const COMMAND = "./liang pull Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M";

export function PullCommand(): ReactElement {
  const { t } = useWords();
  return (
    <div className="command">
      <code>
        {COMMAND.split(/(?<=[/:-])/).map((piece, index) => (
          <span key={index}>
            {piece}
            <wbr />
          </span>
        ))}
      </code>
      <CopyButton text={COMMAND} label={t("copyCommand")} />
    </div>
  );
}
