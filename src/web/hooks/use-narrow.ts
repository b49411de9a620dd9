// Whether the page is as narrow as a phone, where the outer places are drawers over the sheet.
import { useSyncExternalStore } from "react";
import { isNarrow, NARROW } from "../state/preferences.ts";

function subscribe(listener: () => void): () => void {
  const query = matchMedia(NARROW);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, isNarrow);
}
