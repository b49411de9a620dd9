// The message box: what is typed, files added to it, how full the window is, and the button that sends or stops.
import { useEffect, useRef, type ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useTextFiles } from "../../hooks/use-text-files.ts";
import { useWords } from "../../hooks/use-words.ts";
import { editLast, openStore, send, stopReply } from "../../state/conversation.ts";
import { draftOf, drafts, setDraft } from "../../state/drafts.ts";
import { shortName } from "../../state/model-words.ts";
import { modelEntry, modelStore } from "../../state/models.ts";
import { registerFocus } from "../../state/places.ts";
import { isNarrow } from "../../state/preferences.ts";
import { withFiles } from "../../state/text-files.ts";
import { GrowingField, sendsOn } from "../parts/growing-field.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { FileChips } from "./file-chips.tsx";
import { WindowGauge } from "./window-gauge.tsx";

interface ComposerProps {
  readonly conversation: string | null;
  readonly replying: boolean;
  /** The reply has begun on the server. */
  readonly stoppable: boolean;
  readonly onSent: () => void;
}

export function Composer({ conversation, replying, stoppable, onSent }: ComposerProps): ReactElement {
  const { t } = useWords();
  const text = useStore(drafts, () => draftOf(conversation));
  const models = useStore(modelStore, (value) => value);
  const wanted = useStore(openStore, (state) => state.conversation?.model ?? null) ?? models.chosen;
  const files = useTextFiles();
  const field = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  useEffect(() => registerFocus("composer", () => field.current?.focus()), []);
  useEffect(() => {
    if (!isNarrow()) field.current?.focus(); // on a phone the keyboard would cover the page
  }, [conversation]);

  const message = withFiles(text.trim(), files.files, (name) => t("fileHead", { name }));
  const submit = (): void => {
    if (message === "" || replying) return;
    files.clear();
    onSent();
    void send(message);
  };
  const model = modelEntry(models, wanted);

  return (
    <form
      className={files.hovering ? "composer hovering" : "composer"}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <FileChips {...files} />
      <GrowingField
        fieldRef={field}
        value={text}
        label={t("composer")}
        placeholder={
          model === undefined ? t("placeholderPlain") : t("placeholder", { model: shortName(model.id).name })
        }
        onChange={(value) => setDraft(conversation, value)}
        onPaste={(list) => void files.add(list)}
        onKeyDown={(event) => {
          if (sendsOn(event)) {
            event.preventDefault();
            submit();
          } else if (event.key === "ArrowUp" && text === "" && !event.nativeEvent.isComposing) {
            event.preventDefault();
            editLast();
          }
        }}
      />
      <div className="composer-foot">
        <IconButton icon="attach" label={t("attach")} onClick={() => chooser.current?.click()} />
        <input
          ref={chooser}
          type="file"
          multiple
          hidden
          onChange={(event) => {
            void files.add([...(event.target.files ?? [])]);
            event.target.value = ""; // the same file may be chosen again
          }}
        />
        <WindowGauge window={model?.info?.window} />
        <span className="grow" />
        {replying ? (
          <IconButton
            icon="stop"
            className="send-button stop"
            label={t("stop")}
            disabled={!stoppable}
            onClick={() => void stopReply()}
          />
        ) : (
          <IconButton icon="send" className="send-button" type="submit" label={t("send")} disabled={message === ""} />
        )}
      </div>
      {files.hovering && <p className="drop-here">{t("dropHere")}</p>}
    </form>
  );
}
