// Whether the page is dark now, whoever says so: for what cannot take its colours from the style sheet.
import { useSyncExternalStore } from "react";
import { preferences } from "../state/preferences.ts";

const DARK = "(prefers-color-scheme: dark)";

function isDark(): boolean {
  const { theme } = preferences.get();
  return theme === "system" ? matchMedia(DARK).matches : theme === "dark";
}

function subscribe(listener: () => void): () => void {
  const query = matchMedia(DARK);
  query.addEventListener("change", listener);
  const leave = preferences.subscribe(listener);
  return () => {
    query.removeEventListener("change", listener);
    leave();
  };
}

export function useTheme(): "light" | "dark" {
  return useSyncExternalStore(subscribe, isDark) ? "dark" : "light";
}
