// What is typed and not sent yet, by conversation, kept in this browser: no reload, crash or failure loses it.
import { createStore } from "./store.ts";

const NAME = "liang.drafts";
const SAVE_DELAY_MS = 300;
/** The draft of the conversation that does not exist yet. */
const NEW = "new";

function stored(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(NAME) ?? "{}") as Record<string, string>;
  } catch {
    return {}; // storage is forbidden or holds something else
  }
}

export const drafts = createStore<{ byConversation: Readonly<Record<string, string>> }>({ byConversation: stored() });

let timer: ReturnType<typeof setTimeout> | undefined;

function save(): void {
  clearTimeout(timer);
  try {
    localStorage.setItem(NAME, JSON.stringify(drafts.get().byConversation));
  } catch {
    // Storage is forbidden or full: the draft lives as long as the page.
  }
}

export function setDraft(conversation: string | null, text: string): void {
  const { [conversation ?? NEW]: _, ...others } = drafts.get().byConversation;
  drafts.set({ byConversation: text === "" ? others : { ...others, [conversation ?? NEW]: text } });
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_DELAY_MS);
}

export function draftOf(conversation: string | null): string {
  return drafts.get().byConversation[conversation ?? NEW] ?? "";
}

export function saveDraftsOnLeaving(): void {
  addEventListener("pagehide", save);
}
