// A message being edited, in its own place. Sending makes a version beside the old one.
import { useState, type ReactElement } from "react";
import type { ConversationMessage } from "../../../server/api-types.ts";
import { useWords } from "../../hooks/use-words.ts";
import { editMessage, resend } from "../../state/conversation.ts";
import { focusOn } from "../../state/places.ts";
import { GrowingField, sendsOn } from "../parts/growing-field.tsx";

function cancel(): void {
  editMessage(undefined);
  focusOn("composer");
}

export function EditBox({ message }: { readonly message: ConversationMessage }): ReactElement {
  const { t } = useWords();
  const [text, setText] = useState(message.content);
  const submit = (): void => {
    if (text.trim() === "") return;
    void resend(message, text);
    focusOn("composer");
  };
  return (
    <form
      className="message edit-box"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <GrowingField
        value={text}
        label={t("editLabel")}
        autoFocus
        onChange={setText}
        onKeyDown={(event) => {
          if (sendsOn(event)) {
            event.preventDefault();
            submit();
          } else if (event.key === "Escape" && !event.nativeEvent.isComposing) {
            event.preventDefault();
            event.stopPropagation();
            cancel();
          }
        }}
      />
      <div className="edit-actions">
        <button type="button" className="button" onClick={cancel}>
          {t("cancel")}
        </button>
        <button type="submit" className="button primary" disabled={text.trim() === ""}>
          {t("sendEdited")}
        </button>
      </div>
    </form>
  );
}
