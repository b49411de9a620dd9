// The list of keys, over everything; the browser's own dialog keeps the focus inside and closes on Escape.
import { useEffect, useRef, type ReactElement } from "react";
import { isMac } from "../hooks/use-shortcuts.ts";
import { useStore } from "../hooks/use-store.ts";
import { useWords } from "../hooks/use-words.ts";
import { places } from "../state/places.ts";
import { caps, shortcuts, type Keys } from "../state/shortcuts.ts";
import { IconButton } from "./parts/icon-button.tsx";

const COMPOSING: readonly { readonly label: "keySend" | "keyNewLine"; readonly keys: readonly Keys[] }[] = [
  { label: "keySend", keys: [{ key: "Enter" }] },
  { label: "keyNewLine", keys: [{ key: "Enter", shift: true }] },
];

const close = (): void => places.set({ shortcutsOpen: false });

export function ShortcutSheet(): ReactElement {
  const { t } = useWords();
  const open = useStore(places, ({ shortcutsOpen }) => shortcutsOpen);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      className="shortcut-sheet"
      aria-label={t("shortcuts")}
      onClose={close}
      onClick={(event) => {
        if (event.target === event.currentTarget) close(); // beside the sheet
      }}
    >
      <header>
        <h2>{t("shortcuts")}</h2>
        <IconButton icon="close" label={t("close")} onClick={close} />
      </header>
      <dl>
        {[...COMPOSING, ...shortcuts].map(({ label, keys }) => (
          <div key={label}>
            <dt>{t(label)}</dt>
            <dd>
              {keys.map((one, index) => (
                <span key={caps(one, isMac()).join("+")}>
                  {index > 0 && <span className="or">{t("or")}</span>}
                  {caps(one, isMac()).map((cap) => (
                    <kbd key={cap}>{cap}</kbd>
                  ))}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
