// What `npm test` runs: the checks (types, lint, format) beside the tests, a process a test file, those of folders with long
// ones first, so that none of them runs alone at the end. `npm test -- PATH...` runs the test files below these paths alone,
// and no check. Suites that need something, or long, have scripts of their own (ARCHITECTURE.md).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const root = join(import.meta.dirname, "..");
const OTHER_SUITES = ["models", "package", "peers", "slow", "web"];
const LONG = ["x64", "cpu", "train", "cli", "families", "engine"];
/** One more than the cores of the smallest machine: while one waits for its threads or a server, others compute. */
const CONCURRENCY = 3;

function filesBelow(path: string): string[] {
  const all = readdirSync(join(root, path), { recursive: true, encoding: "utf8" });
  return all.filter((name) => name.endsWith(".test.ts")).map((name) => join(path, name));
}

const partOf = (path: string): string => path.split(/[/\\]/)[1];
const order = (path: string): number => {
  const at = LONG.indexOf(partOf(path));
  return path.startsWith("src") || at < 0 ? LONG.length : at;
};
const tests = filesBelow("test").filter((path) => !OTHER_SUITES.includes(partOf(path)));
const all = [...tests, ...filesBelow("src")].sort((a, b) => order(a) - order(b) || a.localeCompare(b));

const asked = process.argv.slice(2);
const files = asked.length === 0 ? all : all.filter((path) => asked.some((prefix) => path.startsWith(prefix)));
if (files.length === 0) throw new RangeError(`There is no test file below ${asked.join(", ")}.`);

/** Whether `npm run check` finds nothing; what it says comes at its end, so that it is not between lines of tests. */
async function check(): Promise<boolean> {
  const child = spawn("npm", ["run", "--silent", "check"], { cwd: root, shell: process.platform === "win32" });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk));
  const [code] = (await once(child, "close")) as [number | null];
  process.stderr.write(Buffer.concat(said));
  return code === 0;
}

const checked = asked.length === 0 ? check() : Promise.resolve(true);
const stream = run({ files: files.map((path) => join(root, path)), concurrency: CONCURRENCY });
let passed = true;
stream.on("test:summary", ({ file, success }) => {
  if (file === undefined) passed = success;
});
const report = stream.compose(new spec());
report.pipe(process.stdout);
await once(report, "end");
if (!(await checked)) {
  process.stderr.write(
    "The checks failed: see above, between the lines of the tests; `npm run check` runs them alone.\n",
  );
  passed = false;
}
process.exitCode = passed ? 0 : 1;
