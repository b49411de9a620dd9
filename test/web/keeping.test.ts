// What is kept: the list of conversations, their files, the settings, files added to a message.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import type { ConversationExport } from "../../src/server/api-types.ts";
import { pageTests, replies, send, settled } from "./harness.ts";

const pageTest = pageTests();

async function talk(page: Page, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    await page.keyboard.press("Control+Shift+O");
    await send(page, text);
    await settled(page);
  }
}
async function choose(page: Page, title: string, action: string): Promise<void> {
  const row = page.locator(".conversation-row").filter({ hasText: title });
  await row.hover();
  await row.getByRole("button", { name: "Actions for" }).click();
  await page.getByRole("menuitem", { name: action }).click();
}

pageTest("a conversation is renamed in place; Escape leaves the name", {}, async ({ page, server }) => {
  await talk(page, "echo one");
  await choose(page, "echo one", "Rename");
  await page.keyboard.type("Numbers");
  await page.keyboard.press("Enter");
  await page.locator(".conversation-title", { hasText: "Numbers" }).waitFor();
  assert.equal(server.conversations.get("c1")!.title, "Numbers");
  await choose(page, "Numbers", "Rename");
  await page.keyboard.type("Other");
  await page.keyboard.press("Escape");
  await page.locator(".conversation-title", { hasText: "Numbers" }).waitFor();
});

pageTest("deleting asks first; the open one leaves an empty sheet", {}, async ({ page, server }) => {
  await talk(page, "echo one", "echo two");
  await choose(page, "echo two", "Delete");
  await page.getByRole("button", { name: "Keep" }).click();
  assert.equal(server.conversations.size, 2);
  await choose(page, "echo two", "Delete");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.locator(".empty-page").waitFor();
  assert.deepEqual(
    [...server.conversations.values()].map(({ title }) => title),
    ["echo one"],
  );
});

pageTest("search finds titles and messages, and says when there is nothing", {}, async ({ page }) => {
  await talk(page, "echo apples", "a story");
  await page.getByRole("searchbox").fill("garden");
  await page.locator(".conversation-match").waitFor();
  assert.deepEqual(await page.locator(".conversation-title").allInnerTexts(), ["a story"]);
  await page.getByRole("searchbox").fill("xyz");
  await page.getByText("Nothing found for “xyz”.").waitFor();
  await page.getByRole("button", { name: "Clear the search" }).click();
  await page.locator(".conversation-title", { hasText: "apples" }).waitFor();
});

pageTest(
  "the list grows when asked for more",
  {
    prepare: (server) => {
      for (let n = 0; n < 70; n++) {
        const id = `old${n}`;
        server.conversations.set(id, {
          id,
          title: `talk ${n}`,
          model: null,
          settings: {},
          head: null,
          createdAt: n,
          updatedAt: n,
          replying: false,
          messages: [],
        });
      }
    },
  },
  async ({ page }) => {
    await page.locator(".conversation-row").nth(49).waitFor();
    assert.equal(await page.locator(".conversation-row").count(), 50);
    await page.getByRole("button", { name: "Show more" }).click();
    await page.locator(".conversation-row").nth(69).waitFor();
    assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
  },
);

pageTest("conversations go to a file and come back from it", {}, async ({ page, server }) => {
  await talk(page, "echo one");
  const download = page.waitForEvent("download");
  await choose(page, "echo one", "Save as a file");
  const file = await download;
  assert.equal(file.suggestedFilename(), "echo one.json");
  const saved = JSON.parse(await readFile(await file.path(), "utf8")) as ConversationExport;
  assert.equal(saved.conversations[0].messages.length, 2);
  await page.locator("input[accept*=json]").setInputFiles(await file.path());
  await page.getByText("Conversations added: 1.").waitFor();
  assert.equal(server.conversations.size, 2);
});

pageTest(
  "settings are kept with their conversation, wrong ones are told and not sent",
  {},
  async ({ page, server }) => {
    await talk(page, "echo one");
    await page.keyboard.press("Control+.");
    const panel = page.getByRole("complementary", { name: "Settings" });
    await panel.getByRole("textbox", { name: "Temperature" }).fill("7");
    await page.getByText("Temperature: 0 to 5.").waitFor();
    await page.waitForTimeout(600);
    assert.deepEqual(server.conversations.get("c1")!.settings, {});
    await panel.getByRole("textbox", { name: "Temperature" }).fill("0.3");
    await panel.getByRole("textbox", { name: "System prompt" }).fill("Answer in verse.");
    await panel.getByRole("textbox", { name: "Seed" }).fill("7");
    await page.waitForTimeout(1500);
    assert.deepEqual(server.conversations.get("c1")!.settings, {
      temperature: 0.3,
      systemPrompt: "Answer in verse.",
      seed: 7,
    });
    await panel.getByRole("button", { name: "Use for new conversations" }).click();
    await panel.getByRole("button", { name: "Saved for new conversations" }).waitFor();
    assert.equal(server.settings.temperature, 0.3);
    await panel.getByRole("button", { name: "Reset to the model’s defaults" }).click();
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>(".setting input.number")!.value === "");
    assert.deepEqual(server.conversations.get("c1")!.settings, {});
  },
);

pageTest("with no conversation open the settings are those of new ones", {}, async ({ page, server }) => {
  await page.keyboard.press("Control+.");
  await page.getByText("For new conversations", { exact: true }).waitFor();
  await page.getByRole("slider", { name: "Temperature" }).fill("1.2");
  await page.waitForTimeout(600);
  assert.deepEqual(server.settings, { temperature: 1.2 });
  await send(page, "echo one");
  await settled(page);
  assert.deepEqual(server.conversations.get("c1")!.settings, { temperature: 1.2 });
});

pageTest("the gauge shows how much of the window is used, and warns in words", {}, async ({ page }) => {
  await talk(page, "long prompt");
  assert.match((await page.getByRole("meter").getAttribute("aria-label")) ?? "", /^4,005 of 8,192 tokens used$/);
  assert.match((await page.locator(".gauge-fill").getAttribute("style")) ?? "", /scaleX\(0\.4/);
});

pageTest("a long message is folded to its beginning, and unfolds", {}, async ({ page }) => {
  await send(page, `echo ${"line\n".repeat(60)}end`);
  await settled(page);
  const height = async (): Promise<number> => (await page.locator(".user-text").boundingBox())!.height;
  const folded = await height();
  await page.getByRole("button", { name: "Show all" }).click();
  assert.ok((await height()) > folded * 3);
  await page.getByRole("button", { name: "Show less" }).click();
  assert.equal(await height(), folded);
});

pageTest(
  "a dropped text file goes along in a fence; what is no text is refused by name",
  {},
  async ({ page, server }) => {
    await page.locator(".empty-page").waitFor();
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["one,two\n1,2\n"], "table.csv"));
      data.items.add(new File([new Uint8Array([0xff, 0xd8, 0xff, 0])], "photo.jpg"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await page.getByText("photo.jpg is not a text file").waitFor();
    await page.locator(".file-chip", { hasText: "table.csv" }).waitFor();
    await send(page, "What is in it?");
    await settled(page);
    const asked = server.conversations.get("c1")!.messages.find(({ role }) => role === "user");
    assert.equal(asked?.content, "File: table.csv\n```csv\none,two\n1,2\n```\n\nWhat is in it?");
    assert.equal(await page.locator(".file-chip").count(), 0);
  },
);

pageTest(
  "what another tab has added to the conversation on show is there when one comes back to it",
  {},
  async (visit) => {
    const { page } = visit;
    await talk(page, "echo one");
    const other = await page.context().newPage();
    await other.goto(page.url());
    await replies(other).waitFor();
    await send(other, "echo two");
    await settled(other);
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.getByText("two", { exact: true }).first().waitFor();
    assert.deepEqual(await replies(page).allInnerTexts(), ["one", "two"]);
  },
);

pageTest("a starter that is clicked twice begins one conversation", {}, async ({ page, server }) => {
  await page.locator(".starters button").first().dblclick();
  await settled(page);
  assert.equal(server.conversations.size, 1);
});
