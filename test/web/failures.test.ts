// What goes wrong is told in its place, says what to do, and nothing typed is lost.
import assert from "node:assert/strict";
import { pageTests, replies, send, settled } from "./harness.ts";

const pageTest = pageTests();
const alert = ".error-note[role=alert]";

pageTest("a conversation too long for the window is told with both numbers", {}, async ({ page }) => {
  await send(page, "too much");
  await settled(page);
  assert.match(await page.locator(alert).innerText(), /9,012 tokens.*8,192/s);
});

pageTest("a reply that fails keeps what had come and offers another try", {}, async ({ page }) => {
  await send(page, "break off");
  await settled(page);
  assert.match(await replies(page).innerText(), /^It begins well/);
  assert.match(await page.locator(alert).innerText(), /A kernel failed.*What had come so far is kept/s);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("2/2").waitFor();
  await settled(page);
});

pageTest("a message that cannot be sent comes back to the message box", {}, async ({ page, server }) => {
  const error = { message: "Disk is full.", type: "server_error", code: "disk_full", param: null };
  server.failure = { status: 500, error };
  await send(page, "precious words");
  await page.locator(alert).waitFor();
  assert.match(await page.locator(alert).innerText(), /Disk is full\./);
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "precious words");
  server.failure = undefined;
  await page.keyboard.press("Enter");
  await settled(page);
  assert.equal(await page.locator(alert).count(), 0);
});

pageTest(
  "a server that is gone is told, and the page goes on by itself once it is back",
  {},
  async ({ page, server }) => {
    await send(page, "echo one");
    await settled(page);
    const error = { message: "gone", type: "server_error", code: "unreachable", param: null };
    server.failure = { status: 502, error };
    await send(page, "echo two");
    await page.getByText("Liang does not answer.").waitFor();
    assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "echo two");
    server.failure = undefined;
    await page.getByText("Liang does not answer.").waitFor({ state: "detached" });
    await page.getByRole("textbox", { name: "Message" }).press("Enter");
    await settled(page);
    assert.deepEqual(await replies(page).allInnerTexts(), ["one", "two"]);
  },
);

pageTest("what is typed outlives a reload, each conversation with its own", {}, async ({ page }) => {
  await send(page, "echo one");
  await settled(page);
  await page.getByRole("textbox", { name: "Message" }).fill("half a thought");
  await page.reload();
  await page.locator(".message.reply").waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "half a thought");
  await page.getByRole("button", { name: "New conversation" }).click();
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "");
});

pageTest("a conversation that is gone says so", { path: "/?c=nowhere" }, async ({ page }) => {
  await page.getByText("This conversation is not there any more.").waitFor();
});

pageTest("a server that asks for its key says where the key is", {}, async ({ page, server }) => {
  const error = { message: "No key.", type: "authentication_error", code: "invalid_api_key", param: null };
  server.failure = { status: 401, error };
  await page.reload();
  await page.getByText("The server asks for its key.").waitFor();
});

pageTest(
  "the key in the address is sent along and taken out of the address",
  { path: "/#key=abc" },
  async ({ page, server }) => {
    await page.locator(".empty-page").waitFor();
    assert.equal(page.url(), `${server.address}/`);
    const request = page.waitForRequest(/\/api\/conversations/);
    await send(page, "echo one");
    assert.equal(await (await request).headerValue("authorization"), "Bearer abc");
  },
);

pageTest(
  "with no model at all the page says how to get one",
  { prepare: (server) => ((server.models = []), (server.defaultModel = null)) },
  async ({ page }) => {
    await page.getByText("There is no model yet.").waitFor();
    await page.getByText("./liang pull Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M").waitFor();
  },
);

pageTest(
  "the built-in story model is called what it is, with stories to begin",
  { prepare: (server) => (server.defaultModel = "stories260K") },
  async ({ page }) => {
    await page.getByText("It tells small English stories and nothing else").waitFor();
    await page.getByText("./liang pull Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M").waitFor();
    await page.getByRole("button", { name: "One day, Lily found a red box in the park." }).click();
    await settled(page);
    assert.equal(await page.locator(".user-text").innerText(), "One day, Lily found a red box in the park.");
  },
);

pageTest("a reply whose stream was lost for long is there once the server answers again", {}, async (visit) => {
  const { page, server } = visit;
  const gone = page.getByText("Liang does not answer.");
  /** Lets the page's own time run until the sentence is there, or is not. */
  const until = async (count: number): Promise<void> => {
    for (let tries = 0; tries < 60 && (await gone.count()) !== count; tries++) {
      await page.clock.runFor(1000);
      await page.waitForTimeout(50);
    }
    assert.equal(await gone.count(), count);
  };
  await page.clock.install();
  await send(page, "slowly tell a story");
  await page.locator(".message.reply[aria-busy=true] .markdown").waitFor();
  server.failure = {
    status: 502,
    error: { message: "gone", type: "server_error", code: "unreachable", param: null },
  };
  server.cutStreams();
  await until(1);
  const stored = () => [...server.conversations.values()][0].messages.at(-1)!;
  for (let tries = 0; tries < 200 && stored().status !== "complete"; tries++) await page.waitForTimeout(50);
  assert.equal(stored().status, "complete");
  server.failure = undefined;
  await until(0);
  await page.locator(".reply-line").waitFor();
  const words = (text: string): string[] => text.match(/[\p{L}\d]+/gu) ?? [];
  assert.deepEqual(words(await replies(page).innerText()), words(stored().content));
});
