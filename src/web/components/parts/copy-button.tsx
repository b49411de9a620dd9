// Copies a text and says so for a moment, in place of its icon and to screen readers.
import { useEffect, useState, type ReactElement } from "react";
import { useWords } from "../../hooks/use-words.ts";
import { copyText } from "./copy-text.ts";
import { IconButton } from "./icon-button.tsx";

const SHOWN_MS = 1500;

interface CopyButtonProps {
  readonly text: string | (() => string);
  readonly label: string;
  readonly className?: string;
}

export function CopyButton({ text, label, className }: CopyButtonProps): ReactElement {
  const { t } = useWords();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <IconButton
        icon={copied ? "check" : "copy"}
        label={copied ? t("copied") : label}
        {...(className !== undefined && { className })}
        onClick={() => void copyText(typeof text === "function" ? text() : text).then(setCopied)}
      />
      <span className="off-screen" role="status">
        {copied ? t("copied") : ""}
      </span>
    </>
  );
}
