// The title as a field: Enter or leaving keeps it, Escape gives up.
import { useRef, useState, type ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";

interface RenameFieldProps {
  readonly title: string;
  /** undefined: nothing is to change. */
  readonly onEnd: (title: string | undefined) => void;
}

export function RenameField({ title, onEnd }: RenameFieldProps): ReactElement {
  const { t } = useWords();
  const [text, setText] = useState(title);
  const ended = useRef(false); // Enter ends it, and taking the field away would end it again
  const end = (renamed: string | undefined): void => {
    if (ended.current) return;
    ended.current = true;
    const clean = renamed?.trim();
    onEnd(clean === undefined || clean === "" || clean === title ? undefined : clean);
  };
  return (
    <input
      className="rename-field"
      value={text}
      autoFocus
      aria-label={t("renameLabel")}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => end(text)}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === "Enter") end(text);
        if (event.key === "Escape") {
          event.preventDefault();
          end(undefined);
        }
      }}
    />
  );
}
