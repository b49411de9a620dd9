// What every store of conversations does the same way: copies under new ids, and the cursor of a list.
import { FormatError, UsageError, show } from "../base/errors.ts";
import type { StoredConversation, StoredMessage, WholeConversation } from "./storage.ts";

export const LIST_LIMIT_DEFAULT = 50;

/** A copy under new ids. Throws FormatError when an id is there twice, or a parent or head is not among those before. */
export function withNewIds(
  whole: WholeConversation,
  field: string,
): { conversation: StoredConversation; messages: StoredMessage[] } {
  const ids = new Map<string, string>();
  const known = (id: string, where: string) => {
    const fresh = ids.get(id);
    if (fresh === undefined) throw new FormatError("import", `${field}.${where}`, id, "the id of an earlier message");
    return fresh;
  };
  const messages = whole.messages.map((value, index) => {
    const parent = value.parent === null ? null : known(value.parent, `messages[${index}].parent`);
    if (ids.has(value.id)) {
      throw new FormatError("import", `${field}.messages[${index}].id`, value.id, "an id that occurs once");
    }
    const id = crypto.randomUUID();
    ids.set(value.id, id);
    return { ...value, id, parent };
  });
  const { messages: _, ...rest } = whole;
  const head = whole.head === null ? null : known(whole.head, "head");
  return { conversation: { ...rest, id: crypto.randomUUID(), head }, messages };
}

/** The `next` of a list that ends with this one. */
export const cursorAfter = ({ updatedAt, id }: StoredConversation): string => `${updatedAt}.${id}`;

/** Throws UsageError for what cursorAfter never gave. */
export function parseCursor(cursor: string): { updatedAt: number; id: string } {
  const parts = /^(\d{1,16})\.([0-9a-f-]{36})$/.exec(cursor);
  if (parts === null)
    throw new UsageError(`before is ${show(cursor)}, expected a "next" given earlier.`, { field: "before" });
  return { updatedAt: Number(parts[1]), id: parts[2] };
}
