import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("keys search, turn the view, pause, walk, mark and copy", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await c.start("ucloud");
  await c.state("online");
  const focused = () => page.evaluate(() => document.activeElement?.closest("[data-testid=entry]")?.getAttribute("data-seq") ?? null);

  await page.locator("body").press("t");
  await page.locator("[data-testid=timeline][data-view=table]").waitFor();
  await page.keyboard.press("p");
  await page.locator("[data-testid=pause][aria-pressed=true]").waitFor();
  await page.keyboard.press("p");
  await page.locator("[data-testid=pause][aria-pressed=false]").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("type:connect");
  await page.locator("[data-testid=entry][data-type=PUBLISH]").first().waitFor({ state: "detached" });
  await page.keyboard.press("ArrowDown");
  const first = await focused();
  assert.notEqual(first, null, "from the search into what was found");
  await page.keyboard.press("End");
  const last = await focused();
  assert.notEqual(last, first);
  await page.keyboard.press("m");
  await page.locator(`[data-testid=entry][data-seq="${last}"].marked`).waitFor();
  await page.keyboard.press("Home");
  assert.equal(await focused(), first);
  await page.keyboard.press("c");
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(String(copied.seq), first);
  assert.match(copied.packet.password, /^\*+$/, "what is copied is covered");
  await page.keyboard.press("Enter");
  await c.get("detail-tab-compare").waitFor();
  await page.keyboard.press("Escape");
  await c.get("detail-tab-compare").waitFor({ state: "detached" });
  assert.equal(await focused(), first, "the focus comes back to its row");
});
