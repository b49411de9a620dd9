// Runs every speed measurement that RESULTS.md's section "Against llama.cpp" holds, and writes that section: installs the
// peers (bench/peers), fetches nothing: models lie in LIANG_TEST_MODELS. Run: npm run bench [-- --rounds 5] [--dry]
// [--python PYTHON]. --dry prints the section instead of writing it; PYTHON, which has torch, is the peer of products.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { cpus, homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { tierInUse } from "../src/device/cpu/tiers.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, dry: { type: "boolean" }, python: { type: "string" } },
});
const root = fileURLToPath(new URL("..", import.meta.url));
const results = `${root}bench/RESULTS.md`;
const [BEGIN, END] = ["<!-- npm run bench: begin -->", "<!-- npm run bench: end -->"];

/** Runs a command of the repository to its end and returns what it printed; throws where it fails. */
function run(command: string, args: readonly string[], folder = root): string {
  process.stderr.write(`${command} ${args.join(" ")}\n`);
  const { status, stdout } = spawnSync(command, args, {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}.`);
  return stdout;
}

const node = (...args: string[]): string => run(process.execPath, args);

// not ci: that wants the lock file to name what other systems need and this one does not install
const install = ["install", "--ignore-scripts", "--no-save"];
const peer = `${root}bench/peers/node-llama-cpp`;
if (!existsSync(`${peer}/node_modules`)) run("npm", install, peer);
if (!existsSync(`${peer}/limited/avx2`)) run(process.execPath, ["limit.mjs"], peer);
const browserPeer = `${root}bench/peers/wllama`;
if (!existsSync(`${browserPeer}/node_modules`)) run("npm", install, browserPeer);
const models = process.env.LIANG_TEST_MODELS ?? `${homedir()}/.cache/liang-test-models`;
const qwen = `${models}/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf`;
const python = values.python === undefined ? [] : ["--python", values.python];
const products = ["--tiers", tierInUse().name, "--shapes", "1024x1024x1024,2048x2048x2048", ...python];

/** Title, what it says before its table, and the program that prints the table. */
const parts: readonly (readonly [string, string, readonly string[]])[] = [
  ["Speed and memory", `best of ${values.rounds}, alternating`, ["bench/speed/compare.ts", "--rounds", values.rounds]],
  ["Cold start", "whole process to the first token", ["bench/cold-start.ts", qwen]],
  ["In a browser", "Chromium, beside wllama", ["bench/browser.ts"]],
  ["Threads", "steps, beside a busy process, the event loop", ["bench/threads.ts", "--model", qwen]],
  ["Products of computed matrices", "f32 and bf16", ["bench/gemm.ts", ...products]],
  ["Kernels", "share of this machine's ceilings", ["src/cli/main.ts", "bench", "kernels"]],
];

const [cpu] = cpus();
const lines = [
  BEGIN,
  "",
  `\`npm run bench\`, ${new Date().toISOString().slice(0, 10)}, ${cpu.model.trim()} (${cpus().length} cores), Node ${process.versions.node}, two threads.`,
  "",
];
for (const [title, note, command] of parts) {
  const printed = node(...command).trim();
  const text = printed.startsWith("|") ? printed : `\`\`\`text\n${printed}\n\`\`\``;
  const shown = command
    .join(" ")
    .replace(models, "MODELS")
    .replace(values.python ?? "PYTHON", "PYTHON");
  lines.push(`### ${title}`, "", `\`node ${shown}\` (${note})`, "", text, "");
}
const section = [...lines, END].join("\n");
if (values.dry === true) console.log(section);
else {
  const text = await readFile(results, "utf8");
  const [before, rest] = text.split(BEGIN);
  if (rest === undefined) throw new Error(`${results} has no line ${BEGIN}.`);
  await writeFile(results, before + section + rest.slice(rest.indexOf(END) + END.length));
}
