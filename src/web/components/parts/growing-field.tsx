// A text field that grows with its text, to eight lines. Also the rule of when Enter sends: never while an input method
// composes, and on phones it is a new line, since their keyboards have no Shift+Enter.
import { useLayoutEffect, useRef, type KeyboardEvent, type ReactElement, type RefObject } from "react";

interface GrowingFieldProps {
  readonly value: string;
  readonly label: string;
  readonly placeholder?: string;
  readonly autoFocus?: boolean;
  readonly fieldRef?: RefObject<HTMLTextAreaElement | null>;
  readonly onChange: (text: string) => void;
  readonly onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>) => void;
  readonly onPaste?: (files: FileList) => void;
}

export function sendsOn(event: KeyboardEvent<HTMLTextAreaElement>): boolean {
  // 229: Safari ends a composition before it reports the key that ended it.
  const composing = event.nativeEvent.isComposing || event.nativeEvent.keyCode === 229;
  return (
    event.key === "Enter" && !event.shiftKey && !event.altKey && !composing && !matchMedia("(pointer: coarse)").matches
  );
}

export function GrowingField(props: GrowingFieldProps): ReactElement {
  const { value, label, placeholder, autoFocus, fieldRef, onChange, onKeyDown, onPaste } = props;
  const own = useRef<HTMLTextAreaElement>(null);
  const field = fieldRef ?? own;
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`; // the style sheet holds it to eight lines
  }, [value, field]);
  useLayoutEffect(() => {
    if (autoFocus !== true) return;
    field.current?.focus();
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length);
  }, [autoFocus, field]);
  return (
    <textarea
      ref={field}
      className="growing-field"
      rows={1}
      value={value}
      aria-label={label}
      placeholder={placeholder}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={onKeyDown}
      onPaste={(event) => {
        if (onPaste === undefined || event.clipboardData.files.length === 0) return;
        event.preventDefault();
        onPaste(event.clipboardData.files);
      }}
    />
  );
}
