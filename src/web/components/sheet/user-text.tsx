// The words of a person's message. A long one, such as a file that was added, is folded to its beginning.
import { useState, type ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";

const FOLD_LINES = 16;
const FOLD_CHARACTERS = 1600;

export function UserText({ text }: { readonly text: string }): ReactElement {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const long = text.length > FOLD_CHARACTERS || text.split("\n", FOLD_LINES + 1).length > FOLD_LINES;
  return (
    <div className={long && !open ? "user-text folded" : "user-text"}>
      <div>{text}</div>
      {long && (
        <button type="button" className="unfold" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t("showLess") : t("showAll")}
        </button>
      )}
    </div>
  );
}
