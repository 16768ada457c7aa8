import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("a device is started, a packet opened and closed again without a mouse", { world: "tab" }, async (c) => {
  const { page } = c;
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-testid"));
  await c.get("start-ucloud").waitFor();
  await page.locator("body").press("Tab");
  for (let i = 0; i < 60 && (await focused()) !== "start-ucloud"; i += 1) await page.keyboard.press("Tab");
  assert.equal(await focused(), "start-ucloud", "Tab gets there");
  await page.keyboard.press("Enter");
  await c.state("online");

  const inTimeline = () => page.evaluate(() => document.activeElement?.closest("[data-testid=entry]") !== null);
  for (let i = 0; i < 60 && !(await inTimeline()); i += 1) await page.keyboard.press("Tab");
  assert.ok(await inTimeline(), "Tab gets into the timeline");
  const row = () => page.evaluate(() => document.activeElement?.closest("[data-testid=entry]")?.getAttribute("data-seq"));
  const first = await row();
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await row(), first, "arrows walk the packets");
  const kind = () => page.evaluate(() => document.activeElement?.closest("[data-testid=entry]")?.getAttribute("data-kind"));
  for (let i = 0; i < 10 && (await kind()) !== "mqtt"; i += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await c.get("detail-tab-decoded").waitFor();
  await page.keyboard.press("Escape");
  await c.get("detail-tab-decoded").waitFor({ state: "hidden" });
});
