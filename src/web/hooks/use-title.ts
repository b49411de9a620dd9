// The window's title: the conversation's, so that tabs and history tell them apart.
import { useEffect } from "react";
import { openStore } from "../state/conversation.ts";
import { useStore } from "./use-store.ts";

export function useTitle(): void {
  const title = useStore(openStore, ({ conversation }) => conversation?.title ?? "");
  useEffect(() => {
    document.title = title === "" ? "Liang 量" : `${title} · Liang 量`;
  }, [title]);
}
