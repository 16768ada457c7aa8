import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { open, run } from "./support/bind.js";

behaviour("the secrets of one request that were shown are covered when the next request stands in its place", { timeout: 180_000 }, async (c) => {
  const { page } = c;
  await open(c, "guide");
  await c.get("paste").click();
  await c.get("paste-text").fill(`${PRODUCT.alibaba}/example1`);
  await c.get("paste-add").click();
  await c.get("guide-start").click();
  const token = page.locator("[data-testid=bind-step][data-step=token][data-state=now]");
  await token.waitFor();
  // A token that the cloud never heard of: it is asked about again and again.
  await c.get("run-token").fill("0123456789ABCDEF0123456789ABCDEF");
  await c.get("run-token-send").click();
  const last = token.locator(":scope > m-exchange");
  await last.locator("summary").first().click();
  await last.getByTestId("exchange-request").click();
  const reveal = last.getByTestId("exchange-reveal");
  await reveal.click();
  await page.locator("[data-testid=exchange-reveal][aria-pressed=true]").waitFor();
  const [owner] = (await c.up.operate("alibaba", "list_owners", { reveal: true })).items;
  assert.ok((await last.innerText()).includes(owner.iot_token), "a person asked for it");
  const tries = () => token.locator("details.more > m-exchange").count();
  const before = await tries();
  await page.waitForFunction((count) => document.querySelectorAll("[data-step=token] details.more > m-exchange").length > count, before);
  assert.equal(await reveal.getAttribute("aria-pressed"), "false");
  assert.ok(!(await token.innerText()).includes(owner.iot_token), "nobody asked for this one's");
  await c.get("guide-stop").click();
  await run(c, "stopped");
});

behaviour("after the tab's clouds began anew the owner's app calls those, by itself", { world: "tab", timeout: 180_000 }, async (c) => {
  const { page } = c;
  await open(c, "calls");
  await c.get("call-send").click();
  await c.get("call-reply").waitFor();
  await c.get("rail-cloud").click();
  await c.get("tab-menu").locator("summary").click();
  await c.get("tab-start-over").click();
  await c.get("confirm-ok").click();
  await page.getByText("begin anew").waitFor();
  await open(c, "calls");
  await page.locator("[data-testid=iot-token][data-state=unused]").waitFor();
  await c.get("call-send").click();
  await page.locator("[data-testid=iot-token][data-state=good]").waitFor();
  assert.equal(await c.get("call-reply").getAttribute("data-reply"), "discovered");
});
