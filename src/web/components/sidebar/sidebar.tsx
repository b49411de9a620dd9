// The conversations: begin a new one, search, and the list by age. At its foot how the page looks.
import { useEffect, useRef, type ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openConversation } from "../../state/conversation.ts";
import { listStore, search, showMore } from "../../state/conversation-list.ts";
import { closeDrawers, focusOn, registerFocus, toggleSidebar } from "../../state/places.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { Icon } from "../parts/icon.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { Seal } from "../parts/seal.tsx";
import { ConversationGroups } from "./conversation-groups.tsx";
import { SidebarFoot } from "./sidebar-foot.tsx";
import { TrainingLink } from "./training-link.tsx";

function begin(): void {
  void openConversation(null);
  closeDrawers();
  focusOn("composer");
}

export function Sidebar({ open }: { readonly open: boolean }): ReactElement {
  const { t, integer } = useWords();
  const { items, next, query, status, error, imported } = useStore(listStore, (state) => state);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => registerFocus("search", () => field.current?.select()), []);

  return (
    <nav className="sidebar" aria-label={t("conversations")} inert={!open}>
      <header className="sidebar-head">
        <span className="wordmark">
          <Seal size={22} /> Liang
        </span>
        <IconButton icon="sidebar" label={t("hideSidebar")} onClick={toggleSidebar} />
      </header>
      <button type="button" className="new-conversation" onClick={begin}>
        <Icon name="plus" /> {t("newConversation")}
      </button>
      <TrainingLink />
      <div className="search-field">
        <Icon name="search" />
        <input
          ref={field}
          type="search"
          value={query}
          placeholder={t("search")}
          aria-label={t("searchPlaceholder")}
          onChange={(event) => search(event.target.value)}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return;
            if (event.key === "Enter" && items[0] !== undefined) {
              void openConversation(items[0].id);
              closeDrawers();
            }
            if (event.key !== "Escape") return;
            event.preventDefault();
            search("");
            focusOn("composer");
          }}
        />
        {query !== "" && <IconButton icon="close" label={t("clearSearch")} onClick={() => search("")} />}
      </div>
      {error !== undefined && <ErrorNote error={error} onDismiss={() => listStore.set({ error: undefined })} />}
      {imported !== undefined && (
        <p className="sidebar-note" role="status">
          {t("imported", { count: integer(imported) })}
        </p>
      )}
      <div className="conversation-list">
        <ConversationGroups items={items} grouped={query === ""} />
        {status === "ready" && items.length === 0 && (
          <p className="sidebar-note">{query === "" ? t("noConversations") : t("nothingFound", { query })}</p>
        )}
        {next !== null && (
          <button type="button" className="more-button" onClick={() => void showMore()}>
            {t("more")}
          </button>
        )}
      </div>
      <SidebarFoot />
    </nav>
  );
}
