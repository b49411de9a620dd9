// One number: typed, or moved on a slider. Empty is the model's default and says so. A wrong number is told and not taken.
import { useEffect, useId, useState, type ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";
import { parseSetting, type Range } from "./ranges.ts";

interface NumberRowProps {
  readonly range: Range;
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
}

const SAVE_DELAY_MS = 350; // a slider's way is not a hundred requests

export function NumberRow({ range, value, onChange }: NumberRowProps): ReactElement {
  const { t } = useWords();
  const id = useId();
  const shown = value === null ? "" : String(value);
  const [text, setText] = useState(shown);
  const [edited, setEdited] = useState(false);
  const parsed = parseSetting(text, range);
  if (!edited && text !== shown) setText(shown); // changed elsewhere: reset, another conversation

  useEffect(() => {
    if (!edited || parsed === undefined) return undefined;
    const timer = setTimeout(() => {
      setEdited(false);
      if (parsed !== value) onChange(parsed);
    }, SAVE_DELAY_MS);
    return () => clearTimeout(timer);
  }, [edited, parsed, value, onChange]);

  const type = (fresh: string): void => {
    setEdited(true);
    setText(fresh);
  };
  const { slider } = range;
  const label = t(range.label);
  return (
    <div className="setting">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="number"
        inputMode={range.whole ? "numeric" : "decimal"}
        value={text}
        placeholder={t("modelDefault")}
        aria-invalid={parsed === undefined}
        aria-describedby={`${id}-hint`}
        autoComplete="off"
        onChange={(event) => type(event.target.value)}
      />
      {slider !== undefined && (
        <input
          type="range"
          className={text === "" ? "at-default" : ""}
          aria-label={label}
          min={slider.low}
          max={slider.high}
          step={slider.step}
          value={parsed ?? slider.rest}
          onChange={(event) => type(event.target.value)}
        />
      )}
      <p id={`${id}-hint`} className={parsed === undefined ? "hint wrong" : "hint"}>
        {parsed === undefined ? t("outOfRange", { name: label, low: range.low, high: range.high }) : t(range.hint)}
      </p>
    </div>
  );
}
