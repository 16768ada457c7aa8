import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

for (const platform of ["ucloud", "krtyun", "alibaba"]) {
  behaviour(`${platform}: an operator switches registration off in the Cloud view, and a new device is told`, {}, async (c) => {
    await c.page.goto(`${c.up.origin}/#/cloud/${platform}/product?product=${PRODUCT[platform]}`);
    const toggle = c.get("switch-DynamicRegister");
    assert.equal(await toggle.getAttribute("aria-checked"), "true");
    await toggle.click();
    await c.page.locator("[data-testid=switch-DynamicRegister][aria-checked=false]").waitFor();
    await c.get("rail-devices").click();
    await c.start(platform);
    await c.get("trouble").waitFor();
    assert.equal(await c.get("trouble").getAttribute("data-blame"), "rejected");
    const log = await c.up.log(platform);
    assert.ok(!log.some((line) => line.what === "secret_issued"), "no secret was handed out");

    // The same device registers once it may.
    await c.up.operate(platform, "switch", { product: PRODUCT[platform], name: "DynamicRegister", value: "true" });
    await c.get("restart").click();
    await c.state("online");
  });
}
