// What lasts of a page without a server: conversations and settings in this browser's IndexedDB. Where storage is refused
// (a private window, say) the page works all the same and forgets at its end. Two tabs each write what they change.
import type { MemoryChange, MemoryContents } from "../../store/memory.ts";

const NAME = "liang";
const VERSION = 1;
const CONVERSATIONS = "conversations";
const SETTINGS = "settings";

export interface Keeper {
  readonly contents: MemoryContents;
  readonly keep: (change: MemoryChange) => void;
}

const NOTHING: MemoryContents = { conversations: [], settings: {} };

export async function openKeeper(): Promise<Keeper> {
  try {
    const database = await openDatabase();
    const read = database.transaction([CONVERSATIONS, SETTINGS]);
    const [conversations, keys, values] = await Promise.all([
      settled(read.objectStore(CONVERSATIONS).getAll()),
      settled(read.objectStore(SETTINGS).getAllKeys()),
      settled(read.objectStore(SETTINGS).getAll()),
    ]);
    const contents = {
      conversations: conversations as MemoryContents["conversations"],
      settings: Object.fromEntries(keys.map((key, i) => [key as string, values[i] as unknown])),
    };
    return { contents, keep: (change) => write(database, change) };
  } catch {
    return { contents: NOTHING, keep() {} };
  }
}

function write(database: IDBDatabase, change: MemoryChange): void {
  const name = change.kind === "setting" ? SETTINGS : CONVERSATIONS;
  const store = database.transaction(name, "readwrite").objectStore(name);
  if (change.kind === "setting") store.put(change.value, change.key);
  else if (change.whole === undefined) store.delete(change.id);
  else store.put(change.whole);
}

async function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, VERSION);
  request.addEventListener("upgradeneeded", () => {
    request.result.createObjectStore(CONVERSATIONS, { keyPath: "id" });
    request.result.createObjectStore(SETTINGS);
  });
  return await settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("IndexedDB failed.")));
  });
}
