// What the page's tests share: the system's Chromium, the mock server, pages that note every request and complaint. Where
// there is no Chromium each test is skipped by its name, with the reason.
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { startMockServer, type MockServer } from "./mock-server.ts";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = [process.env["LIANG_CHROMIUM"] ?? "", ...PLACES].find((path) => path !== "" && existsSync(path));
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Visit {
  readonly page: Page;
  readonly server: MockServer;
  /** Addresses outside the server that the page asked for. */
  readonly strayRequests: string[];
  /** Errors in the console and uncaught ones; policy violations are among them. */
  readonly complaints: string[];
}

export interface VisitOptions extends BrowserContextOptions {
  /** Before the page opens. */
  readonly prepare?: (server: MockServer) => void;
  readonly path?: string;
}

/** Why tests in a browser are skipped, if they are. */
export const noBrowser = executablePath === undefined && "no Chromium on this machine (LIANG_CHROMIUM names one)";

/** One browser for all tests of a file; a function, for it is there once they run. */
export function sharedBrowser(): () => Browser {
  let browser: Browser | undefined;
  before(async () => {
    if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  });
  after(async () => await browser?.close());
  return () => browser!;
}

/** Declares tests of one file: a browser for all, a server and a page for each. */
export function pageTests(): (name: string, options: VisitOptions, body: (visit: Visit) => Promise<void>) => void {
  const browser = sharedBrowser();
  const skip = noBrowser;

  return (name, { prepare, path = "/", ...options }, body) => {
    void test(name, { skip, timeout: 60_000 }, async () => {
      const server = await startMockServer();
      prepare?.(server);
      const context = await browser().newContext({
        viewport: { width: 1280, height: 800 },
        locale: "en-GB",
        ...options,
      });
      const page = await context.newPage();
      const visit: Visit = { page, server, strayRequests: [], complaints: [] };
      page.setDefaultTimeout(10_000);
      page.on("request", (request) => {
        const { origin, protocol } = new URL(request.url());
        if (origin !== server.address && protocol !== "blob:") visit.strayRequests.push(request.url());
      });
      page.on("console", (message) => message.type() === "error" && visit.complaints.push(message.text()));
      page.on("pageerror", (error) => visit.complaints.push(error.message));
      try {
        await page.goto(server.address + path);
        await page.locator("main").waitFor();
        await body(visit);
      } finally {
        await context.close();
        await server.close();
      }
    });
  };
}

export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

/** Types a message and sends it with Enter. */
export async function send(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: /^(Message|消息)$/ }).fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until no reply is being written. */
export async function settled(page: Page): Promise<void> {
  await page.locator(".message.reply").last().waitFor();
  await page.locator("[aria-busy=true]").waitFor({ state: "detached", timeout: 30_000 });
}

export const replies = (page: Page) => page.locator(".message.reply .markdown");
