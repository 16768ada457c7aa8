import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

behaviour("a reload brings back the draft in the settings without its secrets, and starts nothing", {}, async (c) => {
  const { page } = c;
  await c.get("settings-ucloud").click();
  await c.get("setting-device_sn").fill("my-device-1");
  await c.get("setting-device_secret").fill("HIDDEN-secret-16");
  await c.get("setting-broker").fill("ws://me:HIDDEN-pass@h.example/mqtt");
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.ok(kept.includes("my-device-1"), "it is written down as it is typed");
  assert.ok(!kept.includes("HIDDEN"), kept);
  await page.reload();
  await c.get("draft-restored").waitFor();
  assert.equal(await c.get("setting-device_sn").inputValue(), "my-device-1");
  assert.equal(await c.get("setting-device_secret").inputValue(), "");
  assert.match(await c.get("settings-missing").innerText(), /device_secret/);
  assert.ok((await c.get("setting-product_secret").inputValue()).length > 3, "the demo knows its own product's");
  assert.equal(await c.get("device-item").count(), 0);
  await c.get("settings-cancel").click();
  await page.reload();
  await c.get("start-ucloud").waitFor();
  assert.equal(await c.get("settings-dialog").count(), 0, "who cancels is not asked again");
});

behaviour("a reload brings back the open device, its label, filter and search, the list's order and the view", {}, async (c) => {
  const { page } = c;
  await c.start("krtyun");
  await c.state("online");
  await c.get("device-rename").click();
  await c.get("confirm-input").fill("样机 A");
  await c.get("confirm-ok").click();
  await c.get("new-device").click();
  await c.start("cmcc");
  await c.state("online");
  await c.get("list-sort").selectOption("name");
  await c.get("device-item").filter({ hasText: "样机 A" }).click();
  await c.get("search").fill("topic:register");
  await c.get("filter").click();
  await c.get("filter-event").uncheck();
  await page.reload();
  await c.get("notice").and(page.locator("[data-about=restored]")).waitFor();
  assert.match(await page.locator(".bar h2").innerText(), /样机 A/);
  assert.equal(await c.get("search").inputValue(), "topic:register");
  assert.equal(await c.get("list-sort").inputValue(), "name");
  assert.equal(await c.get("device-item").count(), 2);
  await c.get("filter").click();
  assert.equal(await c.get("filter-event").isChecked(), false);
  assert.equal(await c.get("device-state").getAttribute("data-state"), "off");
  await page.goto(`${c.up.origin}/#/tools/imei`);
  await page.reload();
  await c.get("tool-imei").waitFor();
});

behaviour("settings of a device that is there come back as a draft of that device", {}, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await c.get("device-settings").click();
  await c.get("template").selectOption("static");
  await c.page.reload();
  await c.get("draft-restored").waitFor();
  assert.equal(await c.get("template").inputValue(), "static");
  assert.equal(await c.get("settings-start").innerText(), "Save and restart");
  assert.equal((await c.up.operate("ucloud", "list_devices", { product: PRODUCT.ucloud, limit: 100 })).items.filter((item) => item.state === "online").length, 0);
});

behaviour("a browser without room is told of, once", {}, async (c) => {
  const { page } = c;
  await c.get("start-ucloud").waitFor();
  await page.evaluate(() => {
    let size = 4 * 1024 * 1024;
    for (let i = 0; size > 0; i += 1) {
      try {
        localStorage.setItem(`fill-${i}`, "x".repeat(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
  });
  await c.start("ucloud");
  await c.state("online");
  const told = page.locator("[data-testid=notice][data-about=keeping]");
  await told.waitFor();
  assert.match(await told.innerText(), /no more room/);
  await c.get("device-share").click();
  await c.get("share-save").click();
  assert.match(await page.locator("[data-testid=notice][data-about=profile]").innerText(), /nothing was saved/);
});
