// Which of the passing things are open: the model picker, the sheet of shortcuts. Also how focus gets to the two fields
// that shortcuts name; components register theirs.
import { createStore } from "./store.ts";
import { isNarrow, preferences, setPreferences } from "./preferences.ts";

export const places = createStore<{ shortcutsOpen: boolean }>({ shortcutsOpen: false });

type Target = "composer" | "search" | "model";
const targets = new Map<Target, () => void>();

/** Returns what takes the registration back. */
export function registerFocus(target: Target, focus: () => void): () => void {
  targets.set(target, focus);
  return () => {
    if (targets.get(target) === focus) targets.delete(target);
  };
}

export function focusOn(target: Target): void {
  targets.get(target)?.();
}

export function toggleSidebar(): void {
  setPreferences({
    sidebarOpen: !preferences.get().sidebarOpen,
    ...(isNarrow() && { instrumentOpen: false }),
  });
}

export function toggleInstrument(): void {
  setPreferences({
    instrumentOpen: !preferences.get().instrumentOpen,
    ...(isNarrow() && { sidebarOpen: false }),
  });
}

/** On a phone a drawer has done its work once something was chosen in it. */
export function closeDrawers(): void {
  if (isNarrow()) setPreferences({ sidebarOpen: false, instrumentOpen: false });
}

export function openSearch(): void {
  const wasOpen = preferences.get().sidebarOpen;
  setPreferences({ sidebarOpen: true });
  if (wasOpen)
    focusOn("search"); // at once: the next key is meant for it
  else requestAnimationFrame(() => focusOn("search")); // the field is there, or no longer inert, a frame later
}
