// The server's key, when it has one: the printed address carries it as `#key=…`. It is kept for this tab and taken out of
// the address, so that it is in no bookmark, screenshot or history.
const NAME = "liang.key";

export function takeKeyFromAddress(): void {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key === null) return;
  sessionStorage.setItem(NAME, key);
  history.replaceState(history.state, "", location.pathname + location.search);
}

export function apiKey(): string | undefined {
  try {
    return sessionStorage.getItem(NAME) ?? undefined;
  } catch {
    return undefined; // storage is forbidden: the page works where no key is asked for
  }
}
