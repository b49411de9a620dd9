// Languages, themes, widths, motion: how the page shows itself.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { pageTests, phone, replies, send, settled } from "./harness.ts";

const pageTest = pageTests();
const paper = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
/** 0 … 1, of a colour as oklch() gives it. */
const lightness = async (page: Page): Promise<number> => Number(/^oklch\(([\d.]+)/.exec(await paper(page))?.[1]);
const widest = (page: Page) =>
  page.evaluate(() => ({
    page: document.documentElement.scrollWidth,
    sheet: document.querySelector(".scroller")!.scrollWidth,
  }));

pageTest("the system's language is taken: Chinese", { locale: "zh-CN" }, async ({ page }) => {
  await page.getByRole("button", { name: "新对话" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
  assert.equal(
    await page.getByRole("textbox", { name: "消息" }).getAttribute("placeholder"),
    "和 Qwen2.5-1.5B-Instruct 说点什么",
  );
});

pageTest("the language is switched at once, and stays after a reload", {}, async ({ page }) => {
  await send(page, "echo one");
  await settled(page);
  await page.getByRole("button", { name: "Language" }).click();
  await page.getByRole("menuitemradio", { name: "中文" }).click();
  await page.getByRole("button", { name: "新对话" }).waitFor();
  assert.match(await page.locator(".reply-line").innerText(), /词元\/秒/);
  await page.reload();
  await page.getByRole("button", { name: "新对话" }).waitFor();
  await page.getByRole("button", { name: "语言" }).click();
  await page.getByRole("menuitemradio", { name: "跟随系统" }).click();
  await page.getByRole("button", { name: "New conversation" }).waitFor();
});

pageTest(
  "the theme follows the system, and a choice of one's own overrules it, from the first paint on",
  { colorScheme: "dark" },
  async ({ page }) => {
    assert.ok((await lightness(page)) < 0.3);
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("menuitemradio", { name: "Light" }).click();
    assert.ok((await lightness(page)) > 0.9);
    await page.route("**/assets/*.js", (route) => route.abort()); // all that is left is what runs before the first paint
    await page.reload({ waitUntil: "domcontentloaded" });
    assert.equal(await page.evaluate(() => document.documentElement.dataset["theme"]), "light");
  },
);

for (const width of [1280, 800, 390, 320]) {
  pageTest(`nothing sticks out at a width of ${width}`, { viewport: { width, height: 800 } }, async ({ page }) => {
    assert.ok((await widest(page)).page <= width);
    await send(page, "softmax");
    await settled(page);
    await page.locator(".katex").first().waitFor();
    const { page: whole, sheet } = await widest(page);
    assert.ok(whole <= width && sheet <= width, `${whole}, ${sheet}`);
  });
}

pageTest("on a phone the conversations are a drawer: opened, used, gone", { ...phone }, async ({ page }) => {
  await page.getByRole("textbox", { name: "Message" }).fill("echo one");
  await page.getByRole("button", { name: "Send" }).tap();
  await settled(page);
  await page.getByRole("button", { name: "Show conversations" }).tap();
  await page.locator(".conversation-row a").tap();
  await page.getByRole("navigation").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Show settings" }).tap();
  await page.getByRole("textbox", { name: "System prompt" }).waitFor();
  await page.getByRole("button", { name: "Hide settings" }).last().tap();
  await page.getByRole("textbox", { name: "System prompt" }).waitFor({ state: "hidden" });
});

pageTest("on a phone a swipe opens and closes the drawers", { ...phone }, async ({ page }) => {
  await page.locator(".empty-page").waitFor();
  const devtools = await page.context().newCDPSession(page);
  const swipe = async (from: number, to: number): Promise<void> => {
    const at = (x: number) => [{ x, y: 160 }];
    await devtools.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(from) });
    for (let step = 1; step <= 4; step++) {
      await devtools.send("Input.dispatchTouchEvent", {
        type: "touchMove",
        touchPoints: at(from + ((to - from) * step) / 4),
      });
    }
    await devtools.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  };
  await swipe(60, 300);
  await page.getByRole("searchbox").waitFor();
  await swipe(300, 60);
  await page.getByRole("searchbox").waitFor({ state: "hidden" });
  await swipe(300, 60);
  await page.getByRole("textbox", { name: "System prompt" }).waitFor();
  await swipe(60, 300);
  await page.getByRole("textbox", { name: "System prompt" }).waitFor({ state: "hidden" });
});

pageTest("whoever wants no motion gets none", { reducedMotion: "reduce" }, async ({ page }) => {
  await send(page, "slowly tell a story");
  await replies(page).waitFor();
  const moving = await page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
});

pageTest("nothing moves for longer than 150 ms, but what shows that work goes on", {}, async ({ page }) => {
  await page.locator(".empty-page").waitFor();
  const times = await page.evaluate(() =>
    [...document.querySelectorAll("*")].flatMap((element) => getComputedStyle(element).transitionDuration.split(", ")),
  );
  for (const time of new Set(times)) assert.ok(Number.parseFloat(time) <= 0.15, time);
});
