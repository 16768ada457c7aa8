import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { left, listen, open, run } from "./support/bind.js";

const GATEWAY = "a1mustergw1/gateway1";
const SUB = `${PRODUCT.alibaba}/example2`;

for (const world of ["local", "tab"]) {
  behaviour(`${world}: a gateway is bound, opened with a countdown and closed; a sub-device is added, removed and put back`, { world }, async (c) => {
    const { page } = c;
    await open(c, "gateways");
    await c.get("no-gateway").waitFor();
    await c.get("start-gateway").click();
    await page.locator("[data-testid=bind-gateway]:not([disabled])").click();
    await left(c, "token-left", "running");
    await c.get("guide-start").click();
    await run(c, "bound");
    await c.get("bind-part-gateways").click();

    // Joining: for two seconds, and then until it is closed.
    const said = await listen(c);
    await c.get("permit-seconds").fill("2");
    await c.get("permit-open").click();
    await left(c, "permit-left", "running");
    await c.get("gateway-heard").waitFor();
    await left(c, "permit-left", "over");
    assert.match(await said(), /Joining has closed/);
    await c.get("permit-seconds").fill("0");
    await c.get("permit-open").click();
    await page.getByText("until it is closed").waitFor();
    await c.get("permit-close").click();
    await left(c, "permit-left", "none");

    // The operator adds a sub-device; tree and picture have it.
    await c.get("add-choice").selectOption(SUB);
    await c.get("add-sub").click();
    const sub = page.locator(`[data-testid=tree-item][data-name="${SUB}"]`);
    await sub.waitFor();
    assert.equal(await page.locator(`[data-testid=topology] [data-node="${SUB}"]`).count(), 1);
    assert.equal(await sub.getAttribute("aria-level"), "3");

    // With the keyboard alone: down to it, Delete, and the warning.
    await page.locator("[data-testid=tree-item][data-kind=home]").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-name")), SUB);
    await page.keyboard.press("Delete");
    assert.match(await c.get("confirm").innerText(), /topo\/change/);
    await c.get("confirm-cancel").click();
    assert.equal(await sub.count(), 1);
    await sub.getByTestId("topo-remove").click();
    await c.get("confirm-ok").click();
    await sub.waitFor({ state: "detached" });
    assert.match(await c.get("removed").innerText(), /example2/);
    assert.equal(await page.locator(`[data-node="${SUB}"]`).count(), 0);
    await page.locator("[data-testid=gateway-heard][data-event=topology]").waitFor();
    if (world === "local") assert.equal((await c.up.device("alibaba", PRODUCT.alibaba, "example2")).more.gateway, undefined);
    await c.get("undo-remove").click();
    await sub.waitFor();
    if (world === "local") assert.equal((await c.up.device("alibaba", PRODUCT.alibaba, "example2")).more.gateway, GATEWAY);
  });
}
