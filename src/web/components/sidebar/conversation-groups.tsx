// The list under the headings of age; found ones stand without headings, since the search orders them.
import type { ReactElement } from "react";
import type { ConversationSummary } from "../../../server/api-types.ts";
import { useStore } from "../../hooks/use-store.ts";
import { useWords } from "../../hooks/use-words.ts";
import { openStore } from "../../state/conversation.ts";
import { ageOf } from "../../state/format.ts";
import { viewStore } from "../../state/view.ts";
import { ConversationRow } from "./conversation-row.tsx";

interface ConversationGroupsProps {
  readonly items: readonly ConversationSummary[];
  readonly grouped: boolean;
}

const AGES = ["today", "yesterday", "lastWeek", "earlier"] as const;

export function ConversationGroups({ items, grouped }: ConversationGroupsProps): ReactElement {
  const { t } = useWords();
  const isChat = useStore(viewStore, ({ view }) => view === "chat");
  const open = useStore(openStore, ({ id }) => id);
  const shown = isChat ? open : null;
  const rows = (list: readonly ConversationSummary[]): ReactElement => (
    <ul>
      {list.map((item) => (
        <ConversationRow key={item.id} item={item} current={item.id === shown} />
      ))}
    </ul>
  );
  if (!grouped) return rows(items);
  const now = Date.now();
  const byAge = Map.groupBy(items, ({ updatedAt }) => ageOf(updatedAt, now));
  return (
    <>
      {AGES.map((age) => {
        const list = byAge.get(age);
        return (
          list !== undefined && (
            <section key={age}>
              <h2>{t(age)}</h2>
              {rows(list)}
            </section>
          )
        );
      })}
    </>
  );
}
