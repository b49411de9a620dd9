// A failure, in the place where it happened: what it is, what to do, and a way on.
import type { ReactElement } from "react";
import type { ApiError } from "../../../server/api-types.ts";
import { useWords } from "../../hooks/use-words.ts";
import { errorSentence } from "../../state/error-words.ts";
import { IconButton } from "./icon-button.tsx";

interface ErrorNoteProps {
  readonly error: ApiError;
  readonly more?: string | undefined;
  readonly onRetry?: (() => void) | undefined;
  readonly onDismiss?: (() => void) | undefined;
}

export function ErrorNote({ error, more, onRetry, onDismiss }: ErrorNoteProps): ReactElement {
  const { t, integer } = useWords();
  return (
    <div className="error-note" role="alert">
      <p>
        {errorSentence(error, t, integer)}
        {more !== undefined && <span className="error-more"> {more}</span>}
      </p>
      {onRetry !== undefined && (
        <button type="button" className="button" onClick={onRetry}>
          {t("tryAgain")}
        </button>
      )}
      {onDismiss !== undefined && <IconButton icon="close" label={t("dismiss")} onClick={onDismiss} />}
    </div>
  );
}
