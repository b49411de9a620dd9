// What a page may know of the machine, which is little: how many threads, and about how much memory.
import type { MachineFacts, Platform } from "../platform.ts";
import { host } from "./host.ts";

const GIGABYTE = 2 ** 30;
/** Browsers round `deviceMemory` and say at most this, whatever the machine has. */
const DEVICE_GIGABYTES_MOST = 8;
/** Where a browser does not say: what an ordinary machine has. */
const DEVICE_GIGABYTES_GUESS = 4;
/** No WebAssembly memory is larger. */
const MEMORY_GIGABYTES_MOST = 16;

/**
 * The facts of a scope (a test gives its own). A machine that says the most is taken to have all that a WebAssembly memory
 * may be: an allocation that is too much fails and is told; a guess that is too low would refuse what works.
 */
export function factsOf({
  crossOriginIsolated = false,
  navigator = {},
}: Pick<typeof host, "crossOriginIsolated" | "navigator">): MachineFacts {
  const { hardwareConcurrency = 1, deviceMemory = DEVICE_GIGABYTES_GUESS, userAgent = "" } = navigator;
  const gigabytes = deviceMemory < DEVICE_GIGABYTES_MOST ? deviceMemory : MEMORY_GIGABYTES_MOST;
  return {
    cores: crossOriginIsolated ? hardwareConcurrency : 1, // threads that share no memory are of no use
    cpu: "unknown",
    os: /Windows/.test(userAgent) ? "win32" : /Mac OS X/.test(userAgent) ? "darwin" : "linux",
    architecture: "wasm",
    memoryTotalBytes: gigabytes * GIGABYTE,
    memoryAvailableBytes: gigabytes * GIGABYTE,
  };
}

export const machineFacts: Platform["machineFacts"] = async () =>
  factsOf({ crossOriginIsolated: sharesMemory(), navigator: host.navigator ?? {} });
/** Also where the conductor could not be woken by threads, which needs `Atomics.waitAsync`, there is one thread. */
export const sharesMemory: Platform["sharesMemory"] = () => host.crossOriginIsolated === true && "waitAsync" in Atomics;
/** A page has no environment. */
export const environment: Platform["environment"] = () => undefined;
/** A page is not told; 0 stands for unknown. */
export const residentBytes: Platform["residentBytes"] = () => 0;
/** Browsers collect when they like; memories of closed models go with the threads that held them. */
export const collectGarbage: Platform["collectGarbage"] = async () => {};
export const now: Platform["now"] = () => performance.now();
export const native: Platform["native"] = () => ({ reason: "A browser lets no page run machine code." });

let waiting: (() => void)[] = [];
let channel: MessageChannel | undefined;

/** By a message to itself: timers wait 4 ms after the first few. */
export const eventLoopTurn: Platform["eventLoopTurn"] = () => {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.addEventListener("message", () => {
      const resumed = waiting;
      waiting = [];
      for (const resume of resumed) resume();
    });
    channel.port1.start();
  }
  const { port2 } = channel;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(0);
  });
};
