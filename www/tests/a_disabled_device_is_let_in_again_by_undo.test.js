import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { entries, events, packets, stores } from "./support/faults.js";

const DEVICE = "112233445566";

for (const world of ["local", "tab"]) {
  behaviour(`${world}: disabling closes the session, undo lets the same device in with the same secret`, { world }, async (c) => {
    const { page } = c;
    const go = (hash) => page.evaluate((hash) => (location.hash = hash), hash);
    await c.start("ucloud");
    await c.state("online");
    await go(`#/cloud/ucloud/devices?product=${PRODUCT.ucloud}`);
    const row = page.locator(`[data-testid=device-row][data-name='${DEVICE}']`);
    await row.getByTestId("device-open").click();
    // What the cloud knows it by, from the same place each time.
    const secret = async () => {
      await c.get("device-more").getByTestId("reveal").click();
      const text = await c.get("device-more").getByTestId("secret").innerText();
      await c.get("device-more").getByTestId("reveal").click();
      return text;
    };
    const before = await secret();
    assert.match(before, /^[!-~]{8,}$/);
    await c.get("disable").click();
    await page.locator(`[data-testid=device-row][data-name='${DEVICE}'][data-state=disabled]`).waitFor();
    assert.match(await c.get("did-text").innerText(), /112233445566 is disabled/);

    // The device notices: its session is closed, and another one is not opened to it.
    await go("#/devices");
    await c.state("stopped");
    const out = await entries(c);
    assert.deepEqual(packets(out, "down", "CONNACK").map(({ packet }) => packet.return_code), [0, 0, 5], "with the product's secret, with its own, and no more");
    assert.equal(events(out, "stopped").at(-1).error.by.how, "connack");

    await go(`#/cloud/ucloud/devices?product=${PRODUCT.ucloud}`);
    await c.get("undo").click();
    await page.locator(`[data-testid=device-row][data-name='${DEVICE}']:not([data-state=disabled])`).waitFor();
    assert.match(await c.get("did-text").innerText(), /Taken back/);
    assert.equal(await c.get("undo").count(), 0, "what was taken back is not offered again");
    await row.getByTestId("device-open").click();
    assert.equal(await secret(), before);

    await go("#/devices");
    await c.get("try-again").click();
    await c.state("online");
    const rows = await entries(c);
    assert.equal(packets(rows, "down", "CONNACK").at(-1).packet.return_code, 0);
    assert.deepEqual([events(rows, "registered").length, stores(rows, "credential").length], [1, 1], "it registered once, before all this");
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
