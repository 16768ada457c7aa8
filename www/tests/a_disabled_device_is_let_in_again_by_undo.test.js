import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

for (const world of ["local", "tab"]) {
  behaviour(`${world}: disabling closes the session, undo lets the same device in with the same secret`, { world }, async (c) => {
    const { page } = c;
    await c.start("ucloud");
    await c.state("online");
    await page.evaluate((hash) => (location.hash = hash), `#/cloud/ucloud/devices?product=${PRODUCT.ucloud}`);
    const row = page.locator("[data-testid=device-row][data-name='112233445566']");
    await row.getByTestId("device-open").click();
    await c.get("disable").click();
    await page.locator("[data-testid=device-row][data-name='112233445566'][data-state=disabled]").waitFor();
    assert.match(await c.get("did-text").innerText(), /112233445566 is disabled/);
    await c.get("undo").click();
    await page.locator("[data-testid=device-row][data-name='112233445566']:not([data-state=disabled])").waitFor();
    assert.match(await c.get("did-text").innerText(), /Taken back/);
    assert.equal(await c.get("undo").count(), 0, "what was taken back is not offered again");
  });
}

behaviour("of many, those that were disabled before stay so when it is taken back", { view: `cloud/ucloud/devices?product=${PRODUCT.ucloud}` }, async (c) => {
  const { page } = c;
  await c.up.operate("ucloud", "disable", { product: PRODUCT.ucloud, device: "112233445568", disabled: true });
  await page.locator("[data-testid=device-row][data-state=disabled]").waitFor();
  await c.get("tick-all").check();
  assert.match(await c.get("chosen-count").innerText(), /^5 /);
  await c.get("bulk-disable").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=device-row][data-state=disabled]").length === 5);
  assert.match(await c.get("did-text").innerText(), /^4 devices/);
  await c.get("undo").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=device-row][data-state=disabled]").length === 1);
  const { items } = await c.up.operate("ucloud", "list_devices", { product: PRODUCT.ucloud });
  assert.deepEqual(items.filter(({ state }) => state === "disabled").map(({ name }) => name), ["112233445568"]);
});

behaviour("a switch is turned back", { view: `cloud/alibaba/product?product=${PRODUCT.alibaba}` }, async (c) => {
  await c.get("switch-DynamicRegister").click();
  await c.page.locator("[data-testid=switch-DynamicRegister][aria-checked=false]").waitFor();
  await c.get("undo").click();
  await c.page.locator("[data-testid=switch-DynamicRegister][aria-checked=true]").waitFor();
});
