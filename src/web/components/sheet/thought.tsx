// The thinking before an answer: folded, one can look in. Plain text, as it was thought.
import type { ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";

interface ThoughtProps {
  readonly text: string;
  readonly live: boolean;
}

export function Thought({ text, live }: ThoughtProps): ReactElement {
  const { t } = useWords();
  return (
    <details className="thought">
      <summary>
        {live && <span className="live-dot" aria-hidden="true" />}
        {live ? t("thinking") : t("thought")}
      </summary>
      <div>{text}</div>
    </details>
  );
}
