// The page without a server: its own worker answers what it asks, and this browser keeps what is said.
import { builtInFiles } from "../../store/built-in-files.ts";
import { sendThrough } from "../api/transport.ts";
import { startPage } from "../start-page.tsx";
import { ownModels } from "../state/own-models.ts";
import { isolate } from "./isolate.ts";
import { openKeeper } from "./keep.ts";
import { startOwnWorker } from "./worker-link.ts";

/** Beside the page lie the models that ship with the program. */
const builtIn = builtInFiles.map(({ name, file }) => ({
  name,
  address: new URL(`models/${file}`, document.baseURI).href,
}));

if (!(await isolate())) {
  const { contents, keep } = await openKeeper();
  const { send, open } = startOwnWorker({ contents, builtIn }, keep);
  sendThrough(send);
  ownModels.set({ own: { open, sharesMemory: crossOriginIsolated && "waitAsync" in Atomics } });
  startPage();
}
