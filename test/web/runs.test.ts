// The view of runs: what is listed, drawn and told, and that it follows a run that goes on.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { RunDetails, RunMetric } from "../../src/server/api-types.ts";
import { pageTests, phone } from "./harness.ts";
import type { MockServer } from "./mock-server.ts";

const pageTest = pageTests();

function steps(from: number, to: number, loss: (step: number) => number): RunMetric[] {
  return Array.from({ length: to - from + 1 }, (_, i): RunMetric[] => {
    const step = from + i;
    const at: RunMetric = { type: "step", step, loss: loss(step), norm: 1, rate: 0.5, tokens: 1000, ms: 100 };
    if (step % 10 !== 0) return [at];
    const nats = loss(step) + 0.1;
    return [
      at,
      { type: "validation", step, tokens: 9, nats_per_token: nats, perplexity: Math.exp(nats) },
      { type: "sample", step, prompt: "Once", text: ` upon step ${step} there was <b>` },
    ];
  }).flat();
}

function addRun(server: MockServer, name: string, change: Partial<RunDetails>, metrics: RunMetric[]): void {
  const details: RunDetails = {
    name,
    stage: "pretrain",
    state: "done",
    parameters: 3_000_000,
    step: 40,
    steps: 40,
    loss: 2.5,
    validation: 2.6,
    tokensPerSecond: 10_000,
    tokens: 40_000,
    trainedMs: 4000,
    leftMs: null,
    startedAt: "2026-01-01T00:00:00.000Z",
    changedAt: 0,
    tier: "wasm",
    precision: "f32",
    code: { version: "0.1.0" },
    dataHash: "abcdef0123456789abcdef",
    recipe: { batch: { tokens: 1000 }, seed: 1 },
    data: null,
    checkpoints: [],
    ...change,
  };
  server.runs.set(name, { details, metrics });
}

function twoRuns(server: MockServer): void {
  const model = "google/gemma-3-270m-it-GGUF:Q8_0"; // one that the mock has
  const state = { state: "running", step: 30, leftMs: 90_000, checkpoints: [{ step: 20, model, savedAt: 0 }] } as const;
  addRun(
    server,
    "alive",
    state,
    steps(1, 30, (step) => 2 + 3 / step),
  );
  addRun(
    server,
    "old",
    { recipe: { batch: { tokens: 1000 }, seed: 2 } },
    steps(1, 40, (step) => 3 + 3 / step),
  );
}

const drawn = (page: Page) => page.locator(".chart canvas").count();
const readout = (page: Page, chart: string) =>
  page.locator(".figure", { hasText: chart }).locator(".readout").innerText();

pageTest("where there is no run the page says how to begin one", {}, async ({ page, complaints, strayRequests }) => {
  await page.getByRole("link", { name: "Training" }).click();
  await page.getByRole("heading", { name: "No runs yet" }).waitFor();
  await page.getByText("liang train pretrain").waitFor();
  await page.goBack();
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  assert.deepEqual([complaints, strayRequests], [[], []]);
});

pageTest(
  "what is trained now is drawn, and follows what comes",
  { prepare: twoRuns, path: "/?runs" },
  async ({ page, server, complaints }) => {
    await page.locator(".chart canvas").first().waitFor();
    assert.equal(await drawn(page), 4); // nothing tells bytes
    await page.getByText("1.5 min left").waitFor();
    assert.match(await readout(page, "Loss"), /2\.\d+\s+2\.2$/);
    await page.getByText("upon step 30 there was <b>").waitFor();

    const run = server.runs.get("alive")!;
    run.metrics.push(...steps(31, 40, () => 1.5));
    run.details = { ...run.details, step: 40, state: "done", leftMs: null };
    await page.getByText("upon step 40").waitFor();
    assert.match(await readout(page, "Loss"), /1\.6$/);
    await page.getByText("1.5 min left").waitFor({ state: "detached" });
    assert.deepEqual(complaints, []);
  },
);

pageTest(
  "runs are laid over each other, and what differs between their recipes is told",
  { prepare: twoRuns, path: "/?runs=alive" },
  async ({ page }) => {
    await page.locator(".chart canvas").first().waitFor();
    await page.getByRole("checkbox", { name: "Show old" }).check();
    const differs = page.getByRole("region", { name: "What differs" });
    assert.match(await differs.innerText(), /seed\s+1\s+2/);
    assert.match(page.url(), /\?runs=alive,old$/);
    const box = (await page.locator(".chart .u-over").first().boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 50);
    await page.getByText("step 20").or(page.getByText("step 21")).first().waitFor();
    await page.getByRole("tab", { name: "alive" }).click();
    await page.getByText("upon step 30").waitFor();
    await page.reload();
    await page.getByRole("checkbox", { name: "Show old", checked: true }).waitFor();
  },
);

pageTest(
  "samples go back in time, and stay there while new ones come",
  { prepare: twoRuns, path: "/?runs=alive" },
  async ({ page, server }) => {
    await page.getByText("upon step 30").waitFor();
    const slider = page.getByRole("region", { name: "Samples" }).getByRole("slider");
    await slider.press("Home");
    await page.getByText("upon step 10").waitFor();
    server.runs.get("alive")!.metrics.push(...steps(31, 40, () => 1.5));
    await page.waitForRequest(/metrics/);
    await page.waitForRequest(/metrics/); // the first one's answer is drawn by now
    assert.equal(await page.getByText("upon step 10").count(), 1);
    await slider.press("End");
    await page.getByText("upon step 40").waitFor();
  },
);

pageTest(
  "a checkpoint is one click from a conversation",
  { prepare: twoRuns, path: "/?runs=alive" },
  async ({ page, server }) => {
    await page.getByRole("button", { name: "Chat with step 20 of alive" }).click();
    await page.getByRole("textbox", { name: "Message" }).waitFor();
    await page.getByRole("heading", { name: "gemma-3-270m-it" }).waitFor();
    assert.ok(server.requests.includes("POST /api/models/load"));
  },
);

pageTest("a run that is gone leaves the page", { prepare: twoRuns, path: "/?runs=old" }, async ({ page, server }) => {
  await page.getByTitle("Show old alone").waitFor();
  server.runs.delete("old");
  await page.getByText("Choose runs above to draw them.").waitFor();
  await page.getByTitle("Show old alone").waitFor({ state: "detached" });
});

for (const [name, options] of [
  ["a desk", { viewport: { width: 1280, height: 800 } }],
  ["a phone", phone],
] as const) {
  pageTest(
    `nothing sticks out on ${name}`,
    { ...options, prepare: twoRuns, path: "/?runs=alive,old" },
    async ({ page }) => {
      await page.locator(".chart canvas").first().waitFor();
      const widths = await page.evaluate(() => {
        const scroller = document.querySelector(".scroller")!;
        return [document.documentElement.scrollWidth - innerWidth, scroller.scrollWidth - scroller.clientWidth];
      });
      assert.deepEqual(widths, [0, 0]);
    },
  );
}

pageTest("in Chinese it speaks Chinese", { locale: "zh-CN", prepare: twoRuns, path: "/?runs" }, async ({ page }) => {
  await page.getByRole("heading", { name: "训练", exact: true }).waitFor();
  await page.getByText("还需 1.5 分钟").waitFor();
});
