// What `npm run serve:local [-- --port N]` runs: the page that needs no server (dist/local) on this machine, with the
// headers that give it threads. Builds it first where it is not there.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startStaticHost } from "./static-host.ts";

const folder = join(import.meta.dirname, "../dist/local");
const { values } = parseArgs({ options: { port: { type: "string", default: "8421" } } });
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  process.stderr.write(`serve:local: --port is ${values.port}, expected 0 (any that is free) to 65535.\n`);
  process.exit(2);
}
if (!existsSync(join(folder, "index.html"))) {
  process.stderr.write("building the page…\n");
  const build = [join(import.meta.dirname, "build-web.ts"), "--local"];
  execFileSync(process.execPath, build, { stdio: ["ignore", "ignore", "inherit"] });
}
try {
  const { address } = await startStaticHost(folder, { headers: true, port });
  process.stdout.write(`The page is at ${address} (Ctrl-C ends it)\n`);
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
  process.stderr.write(`serve:local: port ${port} is taken: npm run serve:local -- --port N\n`);
  process.exit(1);
}
