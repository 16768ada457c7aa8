import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

const VIEW = `cloud/ucloud/devices?product=${PRODUCT.ucloud}`;
const NAMES = ["112233445566", "112233445567", "112233445568", "112233445569", "112233445570"];
const devices = async (c) => (await c.up.operate("ucloud", "list_devices", { product: PRODUCT.ucloud, reveal: true })).items;
const secrets = async (c) => Object.fromEntries((await devices(c)).map(({ name, secret }) => [name, secret]));

behaviour("several are reset and deleted only after their number was typed; their secrets are void, and one that stands in the field is told of", {}, async (c) => {
  const { page } = c;
  await c.start("ucloud");
  await c.state("online");
  await page.evaluate((hash) => (location.hash = hash), `#/${VIEW}`);
  await page.locator("[data-testid=device-row]").nth(4).waitFor();
  const before = await secrets(c);
  assert.deepEqual(Object.keys(before), NAMES);

  const guarded = async (button, wrong) => {
    await c.get(button).click();
    await c.get("danger").waitFor();
    assert.equal(await c.get("danger-field").getAttribute("data-used"), "true");
    assert.match(await c.get("danger-field").innerText(), /1 of 5 are in the field, 1 of them online now/);
    assert.notEqual((await c.get("danger-rule").innerText()).trim(), "");
    assert.match(await c.get("danger-effects").innerText(), /There is no undo/);
    // Neither nothing, nor another number, nor the name of one of them.
    for (const text of wrong) {
      await c.get("danger-name").fill(text);
      await c.get("danger-ok").click();
      await c.get("danger-wrong").waitFor();
    }
    assert.deepEqual(await secrets(c), before, "nothing has happened so far");
  };

  await c.get("tick-all").check();
  await guarded("bulk-reset", ["", "4", "55", NAMES[0]]);
  await c.get("danger-cancel").click();
  await c.get("danger").waitFor({ state: "detached" });
  assert.deepEqual(await secrets(c), before);
  await guarded("bulk-reset", ["6"]);
  await c.get("danger-fresh").check();
  await c.get("danger-name").fill("5");
  await c.get("danger-ok").click();
  await page.locator("[data-testid=did-text]", { hasText: "5 devices are reset" }).waitFor();
  assert.equal(await c.get("undo").count(), 0);
  const after = await secrets(c);
  for (const name of NAMES) assert.notEqual(after[name], before[name], name);

  // Who was in the field is out, and says so.
  await c.get("rail-devices").click();
  await c.state("stopped");

  // Deleting has the same guard, as one of them is in use.
  await page.evaluate((hash) => (location.hash = hash), `#/${VIEW}`);
  await c.get("device-row").first().waitFor();
  await c.get("tick-all").check();
  await c.get("bulk-delete").click();
  await c.get("danger-name").fill(NAMES[0]);
  await c.get("danger-ok").click();
  await c.get("danger-wrong").waitFor();
  await page.keyboard.press("Escape");
  await c.get("danger").waitFor({ state: "detached" });
  assert.equal((await devices(c)).length, 5);
  await c.get("bulk-delete").click();
  await c.get("danger-name").fill("5");
  await c.get("danger-ok").click();
  await page.locator("[data-testid=did-text]", { hasText: "5 devices are deleted" }).waitFor();
  await c.get("device-row").first().waitFor({ state: "detached" });
  assert.deepEqual(await devices(c), []);
});

behaviour("several are let in again; those that were let in before stay so when it is taken back; the rest is not asked for", { view: VIEW }, async (c) => {
  const { page } = c;
  for (const device of NAMES.slice(0, 3)) await c.up.operate("ucloud", "disable", { product: PRODUCT.ucloud, device, disabled: true });
  const disabled = (count) => page.waitForFunction((count) => document.querySelectorAll("[data-testid=device-row][data-state=disabled]").length === count, count);
  await disabled(3);
  // The four that are ticked: three of them are disabled.
  for (const name of NAMES.slice(0, 4)) await page.locator(`[data-testid=device-row][data-name='${name}']`).getByTestId("tick").check();
  assert.match(await c.get("chosen-count").innerText(), /^4 /);
  await c.get("bulk-enable").click();
  await disabled(0);
  assert.match(await c.get("did-text").innerText(), /^3 devices may connect again/);
  await c.get("undo").click();
  await disabled(3);
  assert.deepEqual((await devices(c)).filter(({ state }) => state === "disabled").map(({ name }) => name), NAMES.slice(0, 3));
  await c.get("bulk-none").click();
  await c.get("chosen-count").waitFor({ state: "detached" });
});

behaviour("an update goes to those that were chosen, to one alone, and one order is taken back", { view: VIEW }, async (c) => {
  const { page } = c;
  for (const version of ["2.0.0", "2.1.0"]) await c.up.upload("ucloud", PRODUCT.ucloud, version, Buffer.alloc(5_000, version));
  const orders = async () => Object.fromEntries((await c.up.operate("ucloud", "list_upgrades", { product: PRODUCT.ucloud })).items.map(({ device, version, state }) => [device, `${version} ${state}`]));
  for (const name of NAMES.slice(1, 3)) await page.locator(`[data-testid=device-row][data-name='${name}']`).getByTestId("tick").check();
  await c.get("bulk-push").click();
  await page.locator("[data-testid=push-to]").waitFor();
  assert.equal(await c.get("push-to").inputValue(), "chosen", "whom it goes to is chosen already");
  await c.get("push-version").selectOption("2.0.0");
  await c.get("push-send").click();
  await page.locator("[data-testid=did-text]", { hasText: "2 devices are ordered to 2.0.0" }).waitFor();
  assert.deepEqual(await orders(), { [NAMES[1]]: "2.0.0 pending", [NAMES[2]]: "2.0.0 pending" });

  // One of the orders, device by device.
  const campaign = page.locator("[data-testid=campaign][data-version='2.0.0']");
  await campaign.getByTestId("campaign-table").click();
  await campaign.locator(`[data-testid=upgrade-row][data-device='${NAMES[1]}']`).getByTestId("upgrade-cancel").click();
  await campaign.locator(`[data-testid=upgrade-row][data-device='${NAMES[1]}'][data-state=cancelled]`).waitFor();
  assert.deepEqual(await orders(), { [NAMES[1]]: "2.0.0 cancelled", [NAMES[2]]: "2.0.0 pending" });

  // From one device: that one alone, although others were ticked.
  await c.get("part-devices").click();
  await page.locator(`[data-testid=device-row][data-name='${NAMES[4]}']`).getByTestId("device-open").click();
  await c.get("push-one").click();
  await page.locator("[data-testid=push-to]").waitFor();
  await c.get("push-to").selectOption("chosen");
  await c.get("push-version").selectOption("2.1.0");
  await c.get("push-send").click();
  await page.locator("[data-testid=did-text]", { hasText: "1 device is ordered to 2.1.0" }).waitFor();
  assert.deepEqual(await orders(), { [NAMES[1]]: "2.0.0 cancelled", [NAMES[2]]: "2.0.0 pending", [NAMES[4]]: "2.1.0 pending" });
});

behaviour("an image of a module goes to that module, and unused numbers go after their number was typed", { view: `cloud/ucloud/firmware?product=${PRODUCT.ucloud}` }, async (c) => {
  const { page } = c;
  await c.get("firmware-file").setInputFiles({ name: "radio.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(2_000, 7) });
  await c.get("firmware-version").fill("7.0.0");
  await c.get("firmware-module").fill("radio");
  await c.get("firmware-upload").click();
  await page.locator("[data-testid=image][data-version='7.0.0']", { hasText: "radio" }).waitFor();
  await c.get("push-version").selectOption("radio/7.0.0");
  await c.get("push-send").click();
  await page.locator("[data-testid=did-text]", { hasText: "5 devices are ordered to 7.0.0" }).waitFor();
  const { items } = await c.up.operate("ucloud", "list_upgrades", { product: PRODUCT.ucloud });
  assert.deepEqual(items.map(({ module, version }) => [module, version]), NAMES.map(() => ["radio", "7.0.0"]));

  await c.get("part-whitelist").click();
  await c.get("list-remove-unused").click();
  assert.equal(await c.get("danger-field").getAttribute("data-used"), "false");
  await c.get("danger-name").fill("4");
  await c.get("danger-ok").click();
  await c.get("danger-wrong").waitFor();
  await c.get("danger-name").fill("5");
  await c.get("danger-ok").click();
  await page.locator("[data-testid=did-text]", { hasText: "5 devices are deleted" }).waitFor();
  assert.deepEqual(await devices(c), []);
});

for (const [platform, device] of [["ucloud", NAMES[0]], ["alibaba", "example1"]]) {
  behaviour(`${platform}: properties that an operator sets reach the device; what is no JSON object is refused before it is sent`, { world: "tab" }, async (c) => {
    const { page } = c;
    await c.start(platform);
    await c.state("online");
    await page.evaluate((hash) => (location.hash = hash), `#/cloud/${platform}/devices?product=${PRODUCT[platform]}`);
    await page.locator(`[data-testid=device-row][data-name='${device}']`).getByTestId("device-open").click();
    await c.get("set-properties").click();
    for (const text of ["{", "[1]", '"on"', "null", ""]) {
      await c.get("confirm-input").fill(text);
      await c.get("confirm-ok").click();
      assert.match(await c.get("confirm").innerText(), /no JSON object/, text);
    }
    await c.get("confirm-input").fill('{"Brightness": 42}');
    await c.get("confirm-ok").click();
    await page.locator("[data-testid=did-text]", { hasText: `Sent to ${device}` }).waitFor();
    await c.get("rail-devices").click();
    const told = c.entries("event", "properties_set");
    await told.first().waitFor();
    assert.equal(await told.count(), 1, "what was refused was never sent");
    await told.first().locator("button").click();
    assert.match(await c.get("detail").innerText(), /Brightness[\s\S]*42/);
  });
}

behaviour("a gateway takes sub-devices until it is closed, of the product that was chosen", { world: "local", view: "cloud/alibaba/topology" }, async (c) => {
  const { page } = c;
  const permit = async () => (await c.up.operate("alibaba", "list_topology", {})).items.find(({ device }) => device === "gateway1").permit;
  await page.locator("[data-testid=gateway][data-name='a1mustergw1/gateway1']").waitFor();
  await c.get("permit-product").selectOption(PRODUCT.alibaba);
  await c.get("permit-always").click();
  await page.locator("[data-testid=permit][data-open=true]", { hasText: "until it is closed" }).waitFor();
  assert.match(await c.get("permit").innerText(), new RegExp(`of ${PRODUCT.alibaba} alone`));
  assert.deepEqual(await permit(), { product: PRODUCT.alibaba, until: null });
  await c.get("permit-close").click();
  await page.locator("[data-testid=permit][data-open=false]").waitFor();
});
