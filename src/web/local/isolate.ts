// Threads need a page that is isolated from other sites, by two headers of its host. Where the host sends none, a service
// worker (public-local/isolate-worker.js) adds them to the page's own answers: from the next load on, which this begins.

const SCRIPT = "./isolate-worker.js";
/** Set for a tab that was reloaded for this: a browser in which it does not help is not reloaded again and again. */
const TRIED = "liang.isolated";
/** A service worker of a few lines is ready in far less; the page is not to wait for one that never is. */
const READY_MS = 2000;

/** True when the page is about to be loaded again. Where it cannot be isolated it goes on with one thread. */
export async function isolate(): Promise<boolean> {
  if (crossOriginIsolated || !isSecureContext || !("serviceWorker" in navigator)) return false;
  try {
    if (sessionStorage.getItem(TRIED) !== null) return false;
    await navigator.serviceWorker.register(SCRIPT);
    const late = new Promise((_, reject) => setTimeout(reject, READY_MS, new Error("late")));
    await Promise.race([navigator.serviceWorker.ready, late]);
    sessionStorage.setItem(TRIED, "yes");
    location.reload();
    return true;
  } catch {
    return false; // service workers or storage are forbidden here
  }
}
