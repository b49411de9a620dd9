// The system prompt; kept a moment after the last key, and when the field is left.
import { useEffect, useId, useState, type ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";

interface SystemPromptProps {
  readonly value: string;
  readonly onChange: (value: string | null) => void;
}

const SAVE_DELAY_MS = 800;

export function SystemPrompt({ value, onChange }: SystemPromptProps): ReactElement {
  const { t } = useWords();
  const id = useId();
  const [text, setText] = useState(value);
  const [edited, setEdited] = useState(false);
  if (!edited && text !== value) setText(value);

  useEffect(() => {
    if (!edited) return undefined;
    const timer = setTimeout(() => {
      setEdited(false);
      if (text !== value) onChange(text === "" ? null : text);
    }, SAVE_DELAY_MS);
    return () => clearTimeout(timer);
  }, [edited, text, value, onChange]);

  return (
    <div className="setting system-prompt">
      <label htmlFor={id}>{t("systemPrompt")}</label>
      <textarea
        id={id}
        rows={4}
        value={text}
        placeholder={t("systemPromptHint")}
        onChange={(event) => {
          setEdited(true);
          setText(event.target.value);
        }}
        onBlur={() => {
          if (edited && text !== value) onChange(text === "" ? null : text);
          setEdited(false);
        }}
      />
    </div>
  );
}
