// Listens for the shortcuts of state/shortcuts.ts on the whole page. What each does is a table; a dialog or menu that is
// open keeps its own keys.
import { useEffect } from "react";
import { editLast, openConversation, regenerate, stopReply } from "../state/conversation.ts";
import { closeDrawers, focusOn, openSearch, places, toggleInstrument, toggleSidebar } from "../state/places.ts";
import { shortcutFor, type ShortcutName } from "../state/shortcuts.ts";

const actions: Readonly<Record<ShortcutName, () => void>> = {
  new: () => {
    void openConversation(null);
    focusOn("composer");
  },
  search: openSearch,
  stop: () => {
    closeDrawers();
    void stopReply();
  },
  regenerate: () => void regenerate(),
  editLast,
  model: () => focusOn("model"),
  settings: toggleInstrument,
  sidebar: toggleSidebar,
  sheet: () => places.set(({ shortcutsOpen }) => ({ shortcutsOpen: !shortcutsOpen })),
  focus: () => focusOn("composer"),
};

export const isMac = (): boolean => /mac|iphone|ipad/i.test(navigator.userAgent);

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.matches("input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]");

export function useShortcuts(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      if (document.querySelector("dialog[open], :popover-open") !== null) return;
      const name = shortcutFor(event, isField(event.target), isMac());
      if (name === undefined) return;
      if (name !== "stop") event.preventDefault(); // Escape also leaves full screen and the like
      actions[name]();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}
