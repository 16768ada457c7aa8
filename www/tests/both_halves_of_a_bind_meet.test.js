import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

for (const world of ["local", "tab"]) {
  behaviour(`alibaba, ${world}: the owner binds the device beside it with the token that it announces`, { world }, async (c) => {
    await c.start("alibaba");
    await c.state("online");
    await c.get("owner").locator("summary").click();
    await c.get("bind-token").click();
    await c.page.locator("[data-testid=owner-state][data-state=bound]").waitFor();
    // Both sides are in the one diagram.
    for (const side of ["device", "app"]) assert.ok((await c.page.locator(`[data-testid=entry][data-side=${side}]`).count()) > 0, side);
    if (world === "local") {
      const [owner] = (await c.up.operate("alibaba", "list_owners", {})).items;
      assert.ok(JSON.stringify(owner.devices).includes(PRODUCT.alibaba) || owner.devices.length === 1);
    }
  });
}
