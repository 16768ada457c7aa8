import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("after a reload, neither its settings nor its card start it without its secret, unless a person says so", {}, async (c) => {
  const { page } = c;
  await c.get("settings-ucloud").click();
  await c.get("setting-device_secret").fill("its-own-secret-1");
  const name = await c.get("setting-device_sn").inputValue();
  await c.get("settings-start").click();
  await c.get("device-state").waitFor();
  await page.reload();

  const lives = () => page.locator("[data-testid=device-state][data-state=off]");
  await c.get("device-item").click();
  // Its button asks for what is missing; an empty field is no answer.
  await c.get("restart").click();
  assert.match(await c.get("settings-missing").innerText(), /device_secret/);
  await c.get("settings-start").click();
  assert.match(await c.get("confirm").innerText(), /registers anew/);
  await c.get("confirm-cancel").click();
  await lives().waitFor();

  // The card offers the same device.
  await c.get("new-device").click();
  assert.equal(await c.get("device-choice-ucloud").inputValue(), name);
  await c.get("start-ucloud").click();
  assert.match(await c.get("settings-missing").innerText(), /device_secret/);
  await c.get("settings-start").click();
  await c.get("confirm-cancel").click();
  await lives().waitFor();
  assert.equal(await c.get("device-item").count(), 1);
  const { items } = await c.up.operate("ucloud", "list_devices", { product: "muster0ucloud001", limit: 100 });
  assert.deepEqual(items.filter((item) => item.state === "online").map((item) => item.name), [], "it has not been at the cloud");

  // Who says so has it registered.
  await c.get("restart").click();
  await c.get("settings-start").click();
  await c.get("confirm-ok").click();
  await c.state("online");
});
