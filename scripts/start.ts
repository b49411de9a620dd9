// What `npm start` runs: builds the page when its sources are newer than its build, then opens it.
import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const built = join(root, "dist/web/index.html");

function newest(folder: string): number {
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

const builtAt = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (builtAt < newest("src/web")) {
  process.stderr.write("building the page…\n");
  execFileSync(process.execPath, [join(root, "scripts/build-web.ts")], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
process.argv.splice(2, 0, "start");
await import("../src/cli/main.ts");
