// Speed in Chromium: Liang's page code against wllama (llama.cpp in WebAssembly) over one model's file, on one page that is
// cross-origin isolated, turn by turn, best of five. One JSON line.
// Run: node bench/browser.ts [MODEL.gguf] [--rounds 5] [--threads 2] [--write 64] [--read 512] [--only liang]; the peer: npm ci in bench/peers/wllama
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium, type Page } from "playwright-core";
import { build } from "vite";
import { startStaticHost } from "../scripts/static-host.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    write: { type: "string", default: "64" },
    read: { type: "string", default: "512" },
    only: { type: "string" },
  },
});
const models = process.env.LIANG_TEST_MODELS ?? join(homedir(), ".cache", "liang-test-models");
const model = positionals[0] ?? join(models, "gemma-3-270m-q4_k_m.gguf");
const peer = join(import.meta.dirname, "peers/wllama");
const threads = Number(values.threads);

interface Opened {
  readonly loadMs: number;
  readonly what: string;
}
interface Answer {
  readonly promptTokens: number;
  readonly prefillMs: number;
  readonly decodeTokens: number;
  readonly decodeMs: number;
}
/** What the page offers (browser/page.mjs). */
type Side = "liang" | "wllama";
const open = (page: Page, side: Side): Promise<Opened> =>
  page.evaluate(`open(${JSON.stringify(side)}, ${threads})`) as Promise<Opened>;
const ask = (page: Page, side: Side, question: object): Promise<Answer> =>
  page.evaluate(`ask(${JSON.stringify(side)}, ${JSON.stringify(question)})`) as Promise<Answer>;

/** About `tokens` tokens, others in each round so that no cache knows them. */
const textOf = (tokens: number, round: number): string =>
  Array.from({ length: tokens }, (_, i) => WORDS[(i * 7 + round * 3 + ((i * i) >> 3)) % WORDS.length]).join(" ");
const WORDS = "the time year people way day man thing woman life child world school state family student group".split(
  " ",
);

/** Without these no side has threads. */
const ISOLATED = `/*
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
`;

/** The page and what it loads, built into a folder of its own. */
async function buildPage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "liang-bench-"));
  const outDir = join(folder, "page");
  const root = join(import.meta.dirname, "browser");
  await build({
    root,
    configFile: false,
    base: "./",
    logLevel: "error",
    worker: { format: "es" },
    build: { outDir, target: "es2023" },
  });
  writeFileSync(join(outDir, "_headers"), ISOLATED);
  symlinkSync(model, join(outDir, "model.gguf"));
  if (existsSync(join(peer, "node_modules"))) {
    cpSync(join(peer, "side.mjs"), join(outDir, "peer/side.mjs"));
    cpSync(join(peer, "node_modules/@wllama/wllama/esm"), join(outDir, "peer/wllama"), { recursive: true });
  }
  return folder;
}

const folder = await buildPage();
const host = await startStaticHost(join(folder, "page"), { headers: true });
const executablePath = process.env.LIANG_CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage();
  page.on("console", (message) => message.type() === "error" && process.stderr.write(`${message.text()}\n`));
  page.setDefaultTimeout(0);
  await page.goto(host.address);
  await page.waitForFunction("globalThis.ready && crossOriginIsolated");
  const hasPeer = existsSync(join(folder, "page/peer"));
  const sides = (["liang", "wllama"] as const).filter(
    (side) => (side === "liang" || hasPeer) && (values.only ?? side) === side,
  );
  const results = Object.fromEntries(await openAll(page, sides));
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [tokens, prompt] of [
      [Number(values.write), 20],
      [1, Number(values.read)],
    ]) {
      for (const side of sides) {
        const answer = await ask(page, side, { text: textOf(prompt, round), tokens });
        const [ms, many] =
          tokens > 1 ? [answer.decodeMs, answer.decodeTokens] : [answer.prefillMs, answer.promptTokens];
        const rate = ((many / ms) * 1000).toFixed(1);
        process.stderr.write(`round ${round}: ${side} ${tokens > 1 ? "writes" : "reads"} ${many} at ${rate} tok/s\n`);
        if (round > 0) note(results[side], answer, tokens > 1); // the first round warms up
      }
    }
  }
  console.log(JSON.stringify({ browser: browser.version(), model: model.split("/").at(-1), threads, ...results }));
} finally {
  await browser.close();
  await host[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
}

type Result = Opened & { writes: number; reads: number; promptTokens: number };

async function openAll(page: Page, sides: readonly Side[]): Promise<[Side, Result][]> {
  const opened: [Side, Result][] = [];
  for (const side of sides) opened.push([side, { ...(await open(page, side)), writes: 0, reads: 0, promptTokens: 0 }]);
  return opened;
}

/** Keeps the best, in tokens a second. */
function note(result: Result, answer: Answer, isDecode: boolean): void {
  const rate = isDecode
    ? (answer.decodeTokens / answer.decodeMs) * 1000
    : (answer.promptTokens / answer.prefillMs) * 1000;
  if (isDecode) result.writes = Math.max(result.writes, rate);
  else Object.assign(result, { reads: Math.max(result.reads, rate), promptTokens: answer.promptTokens });
}
