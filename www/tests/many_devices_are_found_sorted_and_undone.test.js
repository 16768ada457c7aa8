import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

const items = (c) => c.get("device-item").evaluateAll((found) => found.map((item) => `${item.dataset["platform"]} ${item.querySelector("small").textContent}`));

behaviour("devices are duplicated, searched, grouped, stopped and started together, and removed with undo", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("krtyun");
  await c.state("online");
  for (let i = 0; i < 3; i += 1) {
    await c.get("device-duplicate").click();
    await c.state("off");
  }
  assert.deepEqual(await items(c), ["krtyun 10001", "krtyun 10002", "krtyun 10003", "krtyun 10004"]);
  await c.get("new-device").click();
  await c.start("ucloud");
  await c.state("online");
  for (let i = 0; i < 2; i += 1) await c.get("device-duplicate").click();
  await c.get("new-device").click();
  await c.start("cmcc");
  await c.state("online");
  assert.equal(await c.get("device-item").count(), 8);

  await c.get("list-search").fill("krtyun off");
  assert.equal(await c.get("list-count").innerText(), "3 of 8");
  await c.get("list-start").click();
  await c.get("list-search").fill("krtyun online");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=device-item]").length === 4);
  await c.get("list-stop").click();
  await c.get("list-search").fill("krtyun off");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=device-item]").length === 4);
  await c.get("list-search").fill("nothing like this");
  await c.get("list-empty").waitFor();
  await c.get("list-search").fill("");

  await c.get("list-sort").selectOption("platform");
  assert.deepEqual((await items(c)).map((item) => item.split(" ")[0]), ["ucloud", "ucloud", "ucloud", "cmcc", "krtyun", "krtyun", "krtyun", "krtyun"]);
  assert.deepEqual(await page.locator("[data-testid=device-list] h3").allInnerTexts(), ["UCloud", "China Mobile", "krtyun"]);

  // The first UCloud device is online; it goes, and comes back off, with its timeline and its secret.
  const first = c.get("device-item").first();
  await first.click();
  await c.state("online");
  await page.locator(".item.on").hover();
  await page.locator(".item.on").getByTestId("device-remove").click();
  assert.equal(await c.get("device-item").count(), 7);
  await c.get("notice-action").click();
  assert.equal(await c.get("device-item").count(), 8);
  await c.state("off");
  assert.ok((await c.entries("mqtt", "CONNECT").count()) > 0, "its timeline is there");
  await c.get("restart").click();
  await c.state("online");
  const log = await page.evaluate(() => document.body.innerText);
  assert.ok(!/Needs you/.test(log), "it did not register twice");
});

behaviour("the same device is not on the list twice, and does not run beside itself", { world: "tab" }, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  const name = await c.page.locator(".bar h2 small").innerText();
  await c.get("device-duplicate").click();
  await c.get("device-settings").click();
  await c.get("setting-device_sn").fill(name);
  await c.get("settings-start").click();
  await c.get("trouble").waitFor();
  assert.match(await c.get("trouble").innerText(), /another device of this page is this one/);
  await c.get("new-device").click();
  await c.startWith("ucloud", { settings: { device_sn: name } });
  await c.page.locator("[data-testid=notice][data-about=same-store]").waitFor();
  assert.equal(await c.get("device-item").count(), 2);
});
