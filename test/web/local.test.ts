// The page that needs no server, from a static host in Chromium: what it says is what Node says, it knows and tells whether
// it has threads, opens models from files, and keeps conversations. Built by `npm run build:local`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { ToPage } from "../../src/web/local/protocol.ts";
import { processIn } from "../cli/process.ts";
import { modelFile } from "../model-files.ts";
import { noBrowser, phone, replies, send, settled, sharedBrowser } from "./harness.ts";
import { startStaticHost } from "../../scripts/static-host.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, "dist/local");
const skip = noBrowser || (!existsSync(folder) && "the page is not built (npm run build:local)");
const browser = sharedBrowser();
const PROMPT = "Once upon a time, there was a little cat named Tom.";

let files = "";
before(async () => {
  files = await mkdtemp(join(tmpdir(), "liang-page-"));
  await copyFile(join(root, "models/stories260K.gguf"), join(files, "My Stories-Q8_0.gguf"));
  await writeFile(join(files, "notes.gguf"), "no model at all");
});
after(() => rm(files, { recursive: true }));

interface LocalOptions extends BrowserContextOptions {
  /** Whether the host sends the headers of `_headers`. */
  readonly headers: boolean;
}

interface LocalVisit {
  readonly page: Page;
  readonly complaints: string[];
  readonly strayRequests: string[];
}

function localTest(
  name: string,
  { headers, ...options }: LocalOptions,
  body: (visit: LocalVisit, report: (text: string) => void) => Promise<void>,
  skipped: string | false = false,
): void {
  void test(name, { skip: skip || skipped, timeout: 120_000 }, async (t) => {
    await using host = await startStaticHost(folder, { headers });
    const viewport = { width: 1280, height: 800 };
    const context = await browser().newContext({ viewport, locale: "en-GB", ...options });
    const page = await context.newPage();
    const visit: LocalVisit = { page, complaints: [], strayRequests: [] };
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => message.type() === "error" && visit.complaints.push(message.text()));
    page.on("pageerror", (error) => visit.complaints.push(error.message));
    context.on("request", (request) => {
      if (new URL(request.url()).origin !== host.address) visit.strayRequests.push(request.url());
    });
    try {
      await page.goto(host.address);
      await page.locator("main").waitFor();
      await body(visit, (text) => t.diagnostic(text));
    } finally {
      await context.close();
    }
  });
}

const computeFacts = (page: Page) => page.locator(".compute-facts").innerText();
const note = (page: Page) => page.getByRole("status").filter({ hasText: "one thread" });
const chooser = (page: Page) => page.locator("input[type=file][accept*=gguf]").first();

async function setTemperature(page: Page, value: string): Promise<void> {
  await page.getByRole("button", { name: "Show settings" }).click();
  await page.getByRole("textbox", { name: "Temperature" }).fill(value);
  await page.waitForTimeout(600); // settings are taken when typing pauses
  await page.getByRole("button", { name: "Hide settings" }).first().click();
}

async function choose(page: Page, model: RegExp): Promise<void> {
  await page.locator(".model-button").click();
  await page.getByRole("menuitemradio", { name: model }).click();
}

/** The answer of a JSON document that the page's worker gives to a request, as a server would. */
async function askWorker(page: Page, path: string, body: object): Promise<unknown> {
  const worker = page.workers().find((one) => /\/main-[^/]*$/.test(one.url()));
  assert.ok(
    worker,
    page
      .workers()
      .map((one) => one.url())
      .join(", "),
  );
  const text = await worker.evaluate(
    ({ path, body }) => {
      const scope = globalThis as unknown as {
        postMessage: (message: ToPage, ...rest: unknown[]) => void;
      } & EventTarget;
      const { postMessage } = scope;
      const id = -1; // none of the page's
      return new Promise<string>((resolve) => {
        const decoder = new TextDecoder();
        let text = "";
        scope.postMessage = (message, ...rest) => {
          if (!("id" in message) || message.id !== id) return postMessage.call(scope, message, ...rest);
          if (message.type === "chunk") text += decoder.decode(message.bytes, { stream: true });
          if (message.type !== "end") return;
          scope.postMessage = postMessage;
          resolve(text);
        };
        const headers = [["content-type", "application/json"]];
        const data = { type: "request", id, path, method: "POST", headers, body };
        scope.dispatchEvent(new MessageEvent("message", { data }));
      });
    },
    { path, body: JSON.stringify(body) },
  );
  return JSON.parse(text);
}

/** The same of a server in Node on a tier. */
async function askNode(tier: string, path: string, body: object): Promise<unknown> {
  const child = processIn(files).start(["serve", "--port", "0", "--no-open"], { LIANG_CPU: tier });
  try {
    const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(line)!;
    const headers = { "content-type": "application/json" };
    return await (await fetch(origin + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
  } finally {
    child.kill("SIGTERM");
    await once(child, "close");
  }
}

/** Of a completion: its tokens, and for each the logarithms of the probabilities of the likeliest. */
interface Logprobs {
  readonly tokens: readonly string[];
  readonly top_logprobs: readonly Readonly<Record<string, number>>[];
}
const logprobsOf = (answer: unknown): Logprobs => (answer as { choices: { logprobs: Logprobs }[] }).choices[0].logprobs;

/** Two versions of V8 may differ in the last bits of Math.exp; logits, which are f32, that differed would be further apart. */
const EXP_SHARE = 2 ** -40;

/** The page chooses greedily the tokens that Node's same tier chooses, by the same logits. */
async function choosesAsNode(page: Page, tier: string): Promise<void> {
  const request = { model: "stories260k", prompt: PROMPT, temperature: 0, max_tokens: 100, logprobs: 3 };
  const found = logprobsOf(await askWorker(page, "/v1/completions", request));
  const expected = logprobsOf(await askNode(tier, "/v1/completions", request));
  assert.equal(found.tokens.length, 100);
  assert.deepEqual(found.tokens, expected.tokens);
  for (const [i, likeliest] of expected.top_logprobs.entries()) {
    assert.deepEqual(Object.keys(found.top_logprobs[i]), Object.keys(likeliest), `token ${i}`);
    for (const [token, logprob] of Object.entries(likeliest)) {
      const off = Math.abs(found.top_logprobs[i][token] - logprob);
      assert.ok(off <= EXP_SHARE * (1 + Math.abs(logprob)), `token ${i}, ${token}: off by ${off}`);
    }
  }
}

/** What the command line answers, greedily, on a tier. */
async function textOfNode(tier: string, model = "stories260k", prompt = PROMPT): Promise<string> {
  const program = join(root, "src/cli/main.ts");
  const args = [program, "run", model, prompt, "--temperature", "0", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, LIANG_CPU: tier } });
  return (JSON.parse(stdout) as { text: string }).text;
}

/** Replies are shown as Markdown, which takes blanks together. */
const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

localTest("writes greedily what Node's same tier writes, on several threads", { headers: true }, async (visit) => {
  const { page, complaints, strayRequests } = visit;
  await choose(page, /stories260k/);
  await setTemperature(page, "0");
  await send(page, PROMPT);
  await settled(page);
  const [, tier, threads] = /^(\S+), (.+) threads$/.exec(await computeFacts(page)) ?? [];
  assert.equal(threads, String(await page.evaluate(() => navigator.hardwareConcurrency)));
  assert.deepEqual(words(await replies(page).innerText()), words(await textOfNode(tier)));
  await choosesAsNode(page, tier);
  assert.match(await page.locator(".reply-line").innerText(), /tok\/s/);
  assert.equal(await note(page).count(), 0);
  assert.deepEqual(complaints, []);
  assert.deepEqual(strayRequests, []);
});

localTest(
  "says that it runs on one thread where the host sends no headers, and writes the same",
  { headers: false, serviceWorkers: "block" },
  async ({ page }) => {
    await note(page).waitFor();
    assert.equal(await page.evaluate(() => crossOriginIsolated), false);
    await choose(page, /stories260k/);
    await setTemperature(page, "0");
    await send(page, PROMPT);
    await settled(page);
    const [, tier] = /^(\S+), one thread$/.exec(await computeFacts(page)) ?? [];
    assert.deepEqual(words(await replies(page).innerText()), words(await textOfNode(tier)));
    await choosesAsNode(page, tier);
    await note(page).getByRole("button", { name: "Dismiss" }).click();
    assert.equal(await note(page).count(), 0);
  },
);

localTest("the poet greets, and each of its buttons asks for a form", { headers: true }, async ({ page }) => {
  await page.getByRole("heading", { name: "liang-shi" }).waitFor();
  const starters = page.locator(".starters button");
  assert.equal(await starters.count(), 6);
  await setTemperature(page, "0");
  const request = await starters.nth(1).innerText();
  await starters.nth(1).click();
  await settled(page);
  const [, tier] = /^(\S+), (.+) threads$/.exec(await computeFacts(page)) ?? [];
  assert.deepEqual(words(await replies(page).innerText()), words(await textOfNode(tier, "liang-shi", request)));
});

localTest("isolates itself by a service worker where the host sends no headers", { headers: false }, async (visit) => {
  const { page, complaints } = visit;
  await page.waitForFunction(() => crossOriginIsolated);
  await page.locator("main").waitFor();
  await send(page, PROMPT);
  await settled(page);
  assert.match(await computeFacts(page), /threads$/);
  assert.deepEqual(complaints, []);
});

localTest("a model is opened from a file, chosen, loaded, and answers", { headers: true }, async ({ page }) => {
  await chooser(page).setInputFiles(join(files, "My Stories-Q8_0.gguf"));
  await page.locator(".model-button").filter({ hasText: "My-Stories" }).waitFor();
  await page.locator(".compute-facts").waitFor();
  await send(page, PROMPT);
  await replies(page).first().waitFor();
  await settled(page);
  assert.match(await page.locator(".reply-line").innerText(), /My-Stories/);
  await page.locator(".model-button").click();
  const rows = await page.locator(".model-row").allInnerTexts();
  assert.equal(rows.length, 3);
  assert.match(rows[0], /1\.1.MB.*in memory.*threads/s);
});

localTest("a file that is no model is refused with its first bytes", { headers: true }, async ({ page }) => {
  await chooser(page).setInputFiles(join(files, "notes.gguf"));
  const said = await page.getByRole("alert").innerText();
  assert.match(said, /notes\.gguf/);
  assert.match(said, /expected a GGUF file/);
  await choose(page, /stories260k/);
  await send(page, PROMPT);
  await settled(page);
  assert.match(await page.locator(".reply-line").innerText(), /stories260k/);
});

localTest("a model's file dropped on the page is opened", { headers: true }, async ({ page }) => {
  await page.evaluate(async () => {
    const content = await (await fetch("models/stories260K.gguf")).blob();
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], "dropped.gguf"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  });
  await page.locator(".model-button").filter({ hasText: "dropped" }).waitFor();
  await page.locator(".compute-facts").waitFor();
});

localTest("conversations and settings are there after a reload", { headers: true }, async ({ page }) => {
  await setTemperature(page, "0");
  await send(page, PROMPT);
  await settled(page);
  const said = await replies(page).innerText();
  await page.reload();
  await replies(page).waitFor();
  assert.equal(await replies(page).innerText(), said);
  assert.match(await page.locator(".conversation-row.current .conversation-title").innerText(), /^Once upon a time/);
  await page.getByRole("button", { name: "New conversation" }).first().click();
  await page.getByRole("button", { name: "Show settings" }).click();
  assert.equal(await page.getByRole("textbox", { name: "Temperature" }).inputValue(), "0");
});

localTest(
  "on a phone, in Chinese, all fits the width and the notice is read",
  { headers: false, serviceWorkers: "block", ...phone, locale: "zh-CN", colorScheme: "dark" },
  async ({ page }) => {
    await page.getByText("这一页只用一个线程").waitFor();
    await page.getByRole("button", { name: "打开模型文件" }).first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  },
);

const gemma = modelFile("gemma-3-270m-q4_k_m.gguf");
localTest(
  "Gemma 270M opened from a file writes, and how fast is told",
  { headers: true },
  async ({ page }, report) => {
    await chooser(page).setInputFiles(gemma.path);
    await page.locator(".compute-facts").waitFor({ timeout: 60_000 });
    await setTemperature(page, "0");
    await send(page, "The capital of France is");
    await page.waitForFunction(() => /\w{20,}|\s\S+\s/.test(document.querySelector(".markdown")?.textContent ?? ""));
    await page.waitForTimeout(3000);
    const stop = page.getByRole("button", { name: "Stop" });
    if (await stop.isVisible()) await stop.click();
    await settled(page);
    const line = await page.locator(".reply-line").innerText();
    const rate = Number(/([\d.,]+) tok\/s/.exec(line)?.[1].replaceAll(",", ""));
    assert.ok(rate > 0, line);
    report(`${await computeFacts(page)}: ${rate} tok/s`);
  },
  gemma.skip,
);
