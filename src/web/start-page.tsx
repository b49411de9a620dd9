// How the page begins, whatever answers it: takes the looks and the conversation in the address, then draws.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./components/app.tsx";
import { noteFailure } from "./state/connection.ts";
import {
  conversationInAddress,
  openConversation,
  openStore,
  refreshDefaults,
  refreshOpen,
} from "./state/conversation.ts";
import { refreshList } from "./state/conversation-list.ts";
import { asApiError } from "./api/client.ts";
import { saveDraftsOnLeaving } from "./state/drafts.ts";
import { refreshModels } from "./state/models.ts";
import { applyToPage, watchOtherTabs } from "./state/preferences.ts";
import "./styles/index.css";

async function begin(): Promise<void> {
  await Promise.all([refreshModels(), refreshList(), refreshDefaults()]);
}

export function startPage(): void {
  applyToPage();
  watchOtherTabs();
  saveDraftsOnLeaving();
  addEventListener("popstate", () => void openConversation(conversationInAddress(), false));
  // Other tabs, and the terminal, change things while one is away.
  addEventListener("focus", () => {
    const fresh = Promise.all([refreshModels(), refreshList().then(refreshOpen)]);
    fresh.catch((error: unknown) => noteFailure(error, begin));
  });

  begin().catch((error: unknown) => {
    openStore.set({ error: asApiError(error) });
    noteFailure(error, async () => {
      await begin();
      openStore.set({ error: undefined });
    });
  });
  void openConversation(conversationInAddress(), false);

  createRoot(document.querySelector("#root")!).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
