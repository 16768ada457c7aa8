import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

behaviour("the packet that carries the secret shows it after a click, and hides it after another", {}, async (c) => {
  await c.start("krtyun");
  await c.state("online");
  const { items } = await c.up.operate("krtyun", "list_devices", { product: PRODUCT.krtyun, reveal: true, limit: 10 });
  const { secret } = items[0];
  assert.ok(secret.length >= 8);
  const body = () => c.page.locator("body").innerText();
  const rows = c.page.locator("[data-testid=entry][data-type=PUBLISH]");
  let shown = false;
  for (let i = 0; i < (await rows.count()) && !shown; i += 1) {
    await rows.nth(i).locator("button").click();
    await c.get("detail-tab-decoded").waitFor();
    assert.ok(!(await body()).includes(secret));
    const show = c.get("show-secret");
    if (await show.isVisible()) {
      await show.click();
      await c.page.locator("[data-testid=show-secret][aria-pressed=true]").waitFor();
      shown = (await body()).includes(secret);
      await show.click();
      await c.page.locator("[data-testid=show-secret][aria-pressed=false]").waitFor();
      assert.ok(!(await body()).includes(secret));
    }
    await c.page.keyboard.press("Escape");
  }
  assert.ok(shown, "one of the packets carries it");
});
