// A conversation in the page, end to end: asking, streaming, stopping, writing again, editing, coming back.
import assert from "node:assert/strict";
import { pageTests, replies, send, settled } from "./harness.ts";

const pageTest = pageTests();

pageTest("a message is answered, word by word, and the line under the reply has its numbers", {}, async ({ page }) => {
  await send(page, "slowly tell a story");
  await replies(page).waitFor();
  const early = (await replies(page).innerText()).length;
  await page.waitForFunction((length) => document.querySelector(".markdown")!.textContent.length > length, early);
  assert.ok(await page.locator("[aria-busy=true]").isVisible());
  await settled(page);
  assert.match(await replies(page).innerText(), /^Once upon a time/);
  const line = await page.locator(".reply-line").innerText();
  assert.match(line, /Qwen2\.5-1\.5B-Instruct/);
  assert.match(line, /tok\/s/);
  assert.match(line, /first token [\d.]+\s(ms|s)/);
  assert.match(line, /\d+ of 8,192 tokens/);
});

pageTest("the conversation gets an address, a title in the list and in the window", {}, async ({ page }) => {
  await send(page, "A story, please");
  await settled(page);
  assert.match(page.url(), /\?c=c1$/);
  assert.equal(await page.locator(".conversation-row.current .conversation-title").innerText(), "A story, please");
  assert.match(await page.title(), /^A story, please/);
});

pageTest("stop ends the reply and keeps what had come", {}, async ({ page, server }) => {
  await send(page, "slowly tell a story");
  await replies(page).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await settled(page);
  assert.ok(server.requests.some((request) => request.endsWith("/stop")));
  const text = await replies(page).innerText();
  assert.ok(text.length > 0 && text.length < 1000);
  assert.match(await page.locator(".reply-line").innerText(), /stopped/);
});

pageTest("writing again makes another version, and one can go between them", {}, async ({ page }) => {
  await send(page, "echo first");
  await settled(page);
  await page.getByRole("button", { name: "Write again" }).click();
  await page.getByText("2/2").waitFor();
  await settled(page);
  await page.getByRole("button", { name: "Earlier version" }).click();
  await page.getByText("1/2").waitFor();
  assert.ok(await page.getByRole("button", { name: "Earlier version" }).isDisabled());
  await page.reload();
  await page.getByText("1/2").waitFor(); // the server remembers which one is on show
});

pageTest("an edited message is sent as a branch; the old branch stays", {}, async ({ page }) => {
  await send(page, "echo one");
  await settled(page);
  await send(page, "echo two");
  await settled(page);
  await page.locator(".message.user").first().hover();
  await page.getByRole("button", { name: "Edit" }).first().click();
  await page.getByRole("textbox", { name: "Edit the message" }).fill("echo changed");
  await page.keyboard.press("Enter");
  await page.getByText("2/2").waitFor();
  await settled(page);
  assert.deepEqual(await replies(page).allInnerTexts(), ["changed"]);
  await page.getByRole("button", { name: "Earlier version" }).click();
  await page.getByText("1/2").waitFor();
  assert.deepEqual(await replies(page).allInnerTexts(), ["one", "two"]);
});

pageTest("Escape leaves a message as it was", {}, async ({ page, server }) => {
  await send(page, "echo one");
  await settled(page);
  await page.keyboard.press("Control+Shift+E");
  await page.getByRole("textbox", { name: "Edit the message" }).fill("echo other");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".user-text").innerText(), "echo one");
  assert.equal(server.conversations.get("c1")!.messages.length, 2);
});

pageTest("a page loaded again in the middle of a reply goes on where it is", {}, async ({ page }) => {
  await send(page, "slowly tell a story");
  await replies(page).waitFor();
  await page.waitForTimeout(300);
  await page.reload();
  await replies(page).waitFor();
  const began = await replies(page).innerText();
  assert.match(began, /^Once upon a time/); // from its beginning, not from where it was attached
  assert.ok(await page.locator("[aria-busy=true]").isVisible());
  await settled(page);
  assert.equal((await replies(page).innerText()).match(/Once upon a time/g)?.length, 2);
});

pageTest("a stream that breaks off is taken up again, and no word is lost or doubled", {}, async ({ page, server }) => {
  await send(page, "slowly tell a story");
  await replies(page).waitFor();
  server.cutStreams();
  await settled(page);
  assert.equal((await replies(page).innerText()).match(/Once upon a time/g)?.length, 2);
  assert.equal(server.requests.filter((request) => request === "GET /api/conversations/c1/reply").length, 1);
});

pageTest("a reply goes on while another conversation is read", {}, async ({ page }) => {
  await send(page, "slowly tell a story");
  await replies(page).waitFor();
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.getByRole("heading", { name: "Qwen2.5-1.5B-Instruct" }).waitFor();
  await page.locator(".conversation-row a").click();
  await replies(page).waitFor();
  await settled(page);
  assert.equal((await replies(page).innerText()).match(/Once upon a time/g)?.length, 2);
});

pageTest("back and forward go between conversations", {}, async ({ page }) => {
  await send(page, "echo one");
  await settled(page);
  await page.getByRole("button", { name: "New conversation" }).click();
  await send(page, "echo two");
  await settled(page);
  await page.goBack();
  await page.goBack();
  await page.getByText("echo one").and(page.locator(".user-text > div")).waitFor();
});

pageTest("thinking is folded away from the answer", {}, async ({ page }) => {
  await send(page, "think about it");
  await settled(page);
  assert.equal(await replies(page).innerText(), "Forty-two.");
  assert.ok(!(await page.getByText("The person asks.").isVisible()));
  await page.getByText("Thoughts").click();
  assert.ok(await page.getByText("The person asks.").isVisible());
});

pageTest("a long prompt and a loading model show how far they are", {}, async ({ page }) => {
  await send(page, "long prompt");
  const reading = page.getByRole("progressbar", { name: "Reading the prompt" });
  await reading.waitFor();
  assert.match((await reading.getAttribute("aria-valuetext")) ?? "", /of 4,000 tokens/);
  await settled(page);
  await send(page, "load first");
  const loading = page.getByRole("progressbar", { name: "Loading Qwen2.5-1.5B-Instruct" });
  await loading.waitFor();
  assert.match((await loading.getAttribute("aria-valuetext")) ?? "", /of 986\u202fMB/);
  await settled(page);
});

pageTest("copying gives the reply as Markdown, and code without its fence", {}, async ({ page }) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await send(page, "softmax");
  await settled(page);
  const clipboard = () => page.evaluate(async () => await navigator.clipboard.readText());
  await page.getByRole("button", { name: "Copy the code" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.match(await clipboard(), /^\/\*\* Probabilities[^`]*\}$/);
  await page.locator(".reply-foot").getByRole("button", { name: "Copy" }).click();
  await page.waitForTimeout(100);
  assert.match(await clipboard(), /## 代码\n\n```ts\n/);
});

pageTest("the view follows the end, and stays where the reader went", {}, async ({ page }) => {
  const gap = () =>
    page.locator(".scroller").evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
  await send(page, "2000 tokens of text");
  await replies(page).waitFor();
  await page.waitForFunction(() => document.querySelector(".scroller")!.scrollTop > 200);
  assert.ok((await gap()) < 60);
  await page.locator(".scroller").hover();
  await page.mouse.wheel(0, -400);
  await page.getByRole("button", { name: "To the end" }).waitFor();
  const top = await page.locator(".scroller").evaluate((element) => element.scrollTop);
  await settled(page);
  assert.ok(Math.abs((await page.locator(".scroller").evaluate((element) => element.scrollTop)) - top) < 60);
  await page.getByRole("button", { name: "To the end" }).click();
  assert.ok((await gap()) < 2);
});
