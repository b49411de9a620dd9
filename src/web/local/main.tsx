// The page without a server: its own worker answers what it asks, and this browser keeps what is said.
import { sendThrough } from "../api/transport.ts";
import { startPage } from "../start-page.tsx";
import { ownModels } from "../state/own-models.ts";
import { isolate } from "./isolate.ts";
import { openKeeper } from "./keep.ts";
import { startOwnWorker } from "./worker-link.ts";

const BUILT_IN = new URL("models/stories260K.gguf", document.baseURI).href;

if (!(await isolate())) {
  const { contents, keep } = await openKeeper();
  const { send, open } = startOwnWorker({ contents, builtIn: BUILT_IN }, keep);
  sendThrough(send);
  ownModels.set({ own: { open, sharesMemory: crossOriginIsolated && "waitAsync" in Atomics } });
  startPage();
}
