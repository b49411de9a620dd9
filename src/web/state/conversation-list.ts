// The conversations at the left: newest first, a page at a time, or what a search found.
import type {
  ApiError,
  ConversationChange,
  ConversationExport,
  ConversationList,
  ConversationSummary,
  Imported,
} from "../../server/api-types.ts";
import { ApiFailure, asApiError, request } from "../api/client.ts";
import { createStore } from "./store.ts";

export interface ListState {
  readonly items: readonly ConversationSummary[];
  readonly next: string | null;
  readonly query: string;
  readonly status: "loading" | "ready" | "failed";
  readonly error: ApiError | undefined;
  /** A sentence about what was just done, such as an import's count. */
  readonly imported: number | undefined;
}

export const listStore = createStore<ListState>({
  items: [],
  next: null,
  query: "",
  status: "loading",
  error: undefined,
  imported: undefined,
});

const PAGE = 50;
let latest = 0;

/** Asks for the first page of the present search; only the latest question's answer is taken. */
export async function refreshList(): Promise<void> {
  const own = ++latest;
  const { query } = listStore.get();
  const list = await request<ConversationList>("GET", `conversations?${parameters({ query })}`);
  if (own === latest) listStore.set({ items: list.conversations, next: list.next, status: "ready", error: undefined });
}

export async function showMore(): Promise<void> {
  const { query, next } = listStore.get();
  if (next === null) return;
  const own = ++latest;
  try {
    const list = await request<ConversationList>("GET", `conversations?${parameters({ query, before: next })}`);
    if (own !== latest) return;
    listStore.set(({ items }) => {
      const known = new Set(items.map(({ id }) => id)); // one that was opened from its address is there already
      const fresh = list.conversations.filter(({ id }) => !known.has(id));
      return { items: [...items, ...fresh], next: list.next };
    });
  } catch (error) {
    listStore.set({ error: asApiError(error) });
  }
}

const parameters = (given: Readonly<Record<string, string>>): string => {
  const filled = Object.entries(given).filter(([, value]) => value !== "");
  return new URLSearchParams([...filled, ["limit", String(PAGE)]]).toString();
};

const SEARCH_DELAY_MS = 120; // a word is typed, then asked for
let searchTimer: ReturnType<typeof setTimeout> | undefined;

export function search(query: string): void {
  listStore.set({ query });
  clearTimeout(searchTimer);
  searchTimer = setTimeout(() => {
    refreshList().catch((error: unknown) => listStore.set({ status: "failed", error: asApiError(error) }));
  }, SEARCH_DELAY_MS);
}

/** Takes in what the server said of one conversation, in its place. */
export function noteSummary(summary: ConversationSummary): void {
  listStore.set(({ items, query }) => {
    const known = items.some(({ id }) => id === summary.id);
    if (!known) return query === "" ? { items: newestFirst([summary, ...items]) } : {};
    const changed = items.map((item) =>
      item.id === summary.id ? { ...summary, ...(item.match !== undefined && { match: item.match }) } : item,
    );
    return { items: query === "" ? newestFirst(changed) : changed };
  });
}

const newestFirst = (items: readonly ConversationSummary[]): ConversationSummary[] =>
  items.toSorted((a, b) => b.updatedAt - a.updatedAt);

export async function renameConversation(id: string, title: string): Promise<void> {
  await report(async () => {
    const change: ConversationChange = { title };
    noteSummary(await request<ConversationSummary>("PATCH", `conversations/${id}`, change));
  });
}

/** True once it is gone. */
export async function deleteConversation(id: string): Promise<boolean> {
  return await report(async () => {
    await request("DELETE", `conversations/${id}`);
    listStore.set(({ items }) => ({ items: items.filter((item) => item.id !== id) }));
  });
}

/** One conversation, or all of them, as the server writes them for keeping. */
export async function exportConversations(id?: string): Promise<ConversationExport | undefined> {
  let exported: ConversationExport | undefined;
  await report(async () => {
    exported = await request<ConversationExport>(
      "GET",
      id === undefined ? "conversations/export" : `conversations/${id}/export`,
    );
  });
  return exported;
}

/** What the server takes. */
const IMPORT_BYTES_MAX = 256 * 2 ** 20;

/** Adds the conversations of a file that was exported; one that is too large is refused before it is read. */
export async function importConversations(file: Pick<File, "size" | "text">): Promise<void> {
  await report(async () => {
    if (file.size > IMPORT_BYTES_MAX) throw refusedImport("import_too_large");
    const exported = parseExport(await file.text());
    const { ids } = await request<Imported>("POST", "conversations/import", exported);
    listStore.set({ imported: ids.length });
    await refreshList();
  });
}

function parseExport(text: string): ConversationExport {
  try {
    return JSON.parse(text) as ConversationExport;
  } catch {
    throw refusedImport("import_no_json");
  }
}

/** Told by its code (error-words.ts). */
const refusedImport = (code: string): ApiFailure =>
  new ApiFailure({ message: code, type: "invalid_request_error", code, param: null }, 0);

async function report(action: () => Promise<void>): Promise<boolean> {
  listStore.set({ error: undefined, imported: undefined });
  try {
    await action();
    return true;
  } catch (error) {
    listStore.set({ error: asApiError(error) });
    return false;
  }
}
