// Long replies stay light: what is finished is not drawn again, however long the reply grows. Exact counts, no times.
import assert from "node:assert/strict";
import { pageTests, replies, send, settled } from "./harness.ts";

const pageTest = pageTests();

pageTest(
  "in a reply of 50,000 tokens no finished block is touched again, and no node is made twice",
  {},
  async ({ page, complaints }) => {
    await page.locator(".empty-page").waitFor();
    await page.evaluate(() => {
      const counts = { early: 0, added: 0 };
      const finished = new WeakSet<Element>(); // blocks that were not among the last three when something was drawn before
      Object.assign(window, { counts });
      new MutationObserver((records) => {
        for (const { target, addedNodes } of records) {
          const element = target instanceof Element ? target : target.parentElement;
          const block = element?.closest(".block") ?? null;
          counts.added += addedNodes.length;
          // Maths drawn once KaTeX has come is the one late change.
          if (block !== null && finished.has(block) && (element?.closest("[data-maths]") ?? null) === null)
            counts.early += 1;
        }
        for (const block of [...document.querySelectorAll(".live .block")].slice(0, -3)) finished.add(block);
      }).observe(document.querySelector("main")!, { childList: true, characterData: true, subtree: true });
    });
    await send(page, "50000 tokens of text");
    await settled(page);
    const { early, added, nodes, blocks } = await page.evaluate(() => ({
      ...(window as unknown as { counts: { early: number; added: number } }).counts,
      nodes: document.querySelectorAll(".markdown *").length,
      blocks: document.querySelectorAll(".markdown .block").length,
    }));
    assert.ok(blocks > 1500, `${blocks} blocks`);
    assert.equal(early, 0, "finished blocks were changed");
    assert.ok(added < nodes * 3, `${added} nodes were added for ${nodes} that stand`);
    assert.deepEqual(complaints, []);
  },
);

pageTest("a selection in what is written already outlives the words that come after", {}, async ({ page }) => {
  await send(page, "slowly tell a story");
  await replies(page).waitFor();
  await page.waitForFunction(() => document.querySelector(".markdown p")!.textContent.length > 60);
  await page.evaluate(() => {
    const text = document.querySelector(".markdown p")!.firstChild!;
    getSelection()!.setBaseAndExtent(text, 0, text, 16);
  });
  await page.waitForTimeout(400);
  assert.equal(await page.evaluate(() => String(getSelection())), "Once upon a time");
});
