// A model's words are not to be trusted: hostile Markdown stays words, nothing is fetched from elsewhere.
import assert from "node:assert/strict";
import { pageTests, replies, send, settled } from "./harness.ts";

const pageTest = pageTests();

pageTest("hostile Markdown runs nothing, fetches nothing and loses none of its text", {}, async (visit) => {
  const { page, strayRequests, complaints } = visit;
  await send(page, "something hostile");
  await settled(page);
  await page.locator(".katex").first().waitFor();
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked), undefined);
  assert.deepEqual(strayRequests, []);
  assert.deepEqual(complaints, []); // a blocked script would be named here
  const found = await replies(page).evaluate((root) => ({
    tags: [
      ...root.querySelectorAll(
        "script, img, iframe, form, style, object, embed, link, meta, base, textarea, [href^=javascript], [href^=data]",
      ),
    ].map((element) => element.outerHTML),
    handlers: [...root.querySelectorAll("*")].flatMap((element) =>
      element.getAttributeNames().filter((name) => name.startsWith("on")),
    ),
    addresses: [...root.querySelectorAll("a[href]")].map((link) => link.getAttribute("href")),
  }));
  assert.deepEqual(found.tags, []);
  assert.deepEqual(found.handlers, []);
  for (const address of found.addresses) assert.match(address ?? "", /^https?:\/\//);
  const text = await replies(page).innerText();
  for (const words of [
    "<script>window.hacked = 1</script>",
    "onerror",
    "<iframe",
    "<form",
    "The end of hostile text.",
  ]) {
    assert.ok(text.includes(words), words);
  }
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).display), "block");
});

pageTest("clicking hostile links does nothing either", {}, async ({ page }) => {
  await send(page, "something hostile");
  await settled(page);
  for (const link of await replies(page).locator("a:not([href])").all()) await link.click({ force: true });
  assert.equal(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked), undefined);
});

pageTest("links open elsewhere, without a way back to this page", {}, async ({ page }) => {
  await send(page, "softmax");
  await settled(page);
  const link = replies(page).locator("a").first();
  assert.equal(await link.getAttribute("target"), "_blank");
  assert.match((await link.getAttribute("rel")) ?? "", /noopener/);
  assert.equal(await link.getAttribute("href"), "https://example.org/softmax");
});

pageTest("what the person writes is shown as it was typed, tags and all", {}, async ({ page }) => {
  await send(page, "echo <b>x</b> **y**");
  await settled(page);
  assert.equal(await page.locator(".user-text").innerText(), "echo <b>x</b> **y**");
  assert.equal(await page.locator(".user-text > div *").count(), 0);
});

pageTest("a hostile title is a title", {}, async ({ page, complaints }) => {
  await send(page, "<img src=x onerror=alert(1)>");
  await settled(page);
  assert.match(await page.locator(".conversation-title").innerText(), /^<img src=x onerror/);
  assert.deepEqual(complaints, []);
});

pageTest("a whole conversation asks nothing of any other machine and breaks no policy", {}, async (visit) => {
  const { page, strayRequests, complaints } = visit;
  await send(page, "softmax");
  await settled(page);
  await page.locator(".katex").first().waitFor();
  await page.locator(".hljs-keyword").first().waitFor();
  await page.keyboard.press("Control+.");
  await page.getByRole("button", { name: "Switch model" }).click();
  await page.keyboard.press("Escape");
  assert.deepEqual(strayRequests, []);
  assert.deepEqual(complaints, []);
});
