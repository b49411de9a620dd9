// The page without a server: its own worker answers what it asks, and this browser keeps what is said.
import { sendThrough } from "../api/transport.ts";
import { startPage } from "../start-page.tsx";
import { ownModels } from "../state/own-models.ts";
import { isolate } from "./isolate.ts";
import { openKeeper } from "./keep.ts";
import type { BuiltInFile } from "./protocol.ts";
import { startOwnWorker } from "./worker-link.ts";

const builtIn = (name: string, file: string): BuiltInFile => ({
  name,
  address: new URL(`models/${file}`, document.baseURI).href,
});
const BUILT_IN = [builtIn("stories260k", "stories260K.gguf")];

if (!(await isolate())) {
  const { contents, keep } = await openKeeper();
  const { send, open } = startOwnWorker({ contents, builtIn: BUILT_IN }, keep);
  sendThrough(send);
  ownModels.set({ own: { open, sharesMemory: crossOriginIsolated && "waitAsync" in Atomics } });
  startPage();
}
