// One conversation in the list: opens it, and holds its renaming and deleting in place.
import { useState, type ReactElement } from "react";
import type { ConversationSummary } from "../../../server/api-types.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openConversation, openStore } from "../../state/conversation.ts";
import { deleteConversation, exportConversations, renameConversation } from "../../state/conversation-list.ts";
import { closeDrawers } from "../../state/places.ts";
import { Icon } from "../parts/icon.tsx";
import { Menu } from "../parts/menu.tsx";
import { saveAsFile } from "../parts/save-as-file.ts";
import { RenameField } from "./rename-field.tsx";

interface ConversationRowProps {
  readonly item: ConversationSummary;
  readonly current: boolean;
}

export function ConversationRow({ item, current }: ConversationRowProps): ReactElement {
  const { t } = useWords();
  const [doing, setDoing] = useState<"renaming" | "deleting">();
  const title = item.title === "" ? t("untitled") : item.title;

  const remove = async (): Promise<void> => {
    setDoing(undefined);
    if ((await deleteConversation(item.id)) && openStore.get().id === item.id) await openConversation(null);
  };
  const save = async (): Promise<void> => {
    const exported = await exportConversations(item.id);
    if (exported !== undefined) saveAsFile(`${title}.json`, JSON.stringify(exported, null, 1));
  };

  if (doing === "renaming") {
    return (
      <li className="conversation-row">
        <RenameField
          title={item.title}
          onEnd={(renamed) => {
            setDoing(undefined);
            if (renamed !== undefined) void renameConversation(item.id, renamed);
          }}
        />
      </li>
    );
  }
  if (doing === "deleting") {
    return (
      <li className="conversation-row deleting" role="alertdialog" aria-label={t("deleteConversation")}>
        <p>{t("deleteQuestion", { title })}</p>
        <button type="button" className="button danger" onClick={() => void remove()}>
          {t("deleteConfirm")}
        </button>
        <button type="button" className="button" autoFocus onClick={() => setDoing(undefined)}>
          {t("keep")}
        </button>
      </li>
    );
  }
  return (
    <li className={current ? "conversation-row current" : "conversation-row"}>
      <a
        href={`?c=${encodeURIComponent(item.id)}`}
        aria-current={current ? "page" : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return; // another tab or window, as links do
          event.preventDefault();
          void openConversation(item.id);
          closeDrawers();
        }}
        onDoubleClick={() => setDoing("renaming")}
      >
        <span className="conversation-title">{title}</span>
        {item.match !== undefined && <span className="conversation-match">{item.match}</span>}
        {item.replying && <span className="live-dot" role="img" aria-label={t("replyingNow")} />}
      </a>
      <Menu label={t("actionsFor", { title })} className="icon-button row-menu" face={<Icon name="more" />}>
        {(close) => (
          <>
            <button type="button" role="menuitem" onClick={() => (close(), setDoing("renaming"))}>
              <Icon name="pen" /> {t("rename")}
            </button>
            <button type="button" role="menuitem" onClick={() => (close(), void save())}>
              <Icon name="save" /> {t("exportOne")}
            </button>
            <button type="button" role="menuitem" className="danger" onClick={() => (close(), setDoing("deleting"))}>
              <Icon name="bin" /> {t("delete")}
            </button>
          </>
        )}
      </Menu>
    </li>
  );
}
