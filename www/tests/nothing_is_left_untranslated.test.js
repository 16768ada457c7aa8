import assert from "node:assert/strict";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";
import { latin } from "./support/latin.js";

// What the walks of every view and of every part of the Cloud view come by is looked at there; here is what these leave
// out: each platform's settings with each way to begin and each environment, each platform's timeline, every mode of a
// calculator, and what is refused.

behaviour("in Chinese no screen has a text that is left in English", { lang: "zh", timeout: 400_000 }, async (c) => {
  const { page } = c;
  const left = new Map();
  let words = 0;
  const look = async (screen) => {
    const seen = await latin(page);
    words += seen.words;
    for (const text of seen.left) if (!left.has(text)) left.set(text, screen);
  };
  const open = async (testid) => {
    await c.get(testid).click();
  };

  await c.get("start-ucloud").waitFor();
  await look("first page");
  for (const world of ["real", "tab"]) {
    await c.get(`world-${world}`).click();
    await look(`first page, ${world}`);
  }
  await c.get("world-real").click();
  for (const platform of PLATFORMS) {
    await open(`start-${platform}`);
    for (const folded of await page.locator("dialog details:not([open]) > summary").all()) await folded.click();
    const template = c.get("template");
    for (const value of await template.locator("option").evaluateAll((options) => options.map((option) => option.value))) {
      if (value !== "") await template.selectOption(value);
      await look(`settings of ${platform}, ${value}`);
    }
    const environment = c.get("environment-choice");
    for (const value of await environment.locator("option").evaluateAll((options) => options.map((option) => option.value))) {
      await environment.selectOption(value);
      for (const way of ["direct", "relay"]) {
        await c.get(`way-${way}`).check();
        await look(`settings of ${platform}, ${value}, ${way}`);
      }
    }
    await open("settings-cancel");
  }
  await c.get("world-tab").click();
  await page.keyboard.press("?");
  await c.get("shortcuts-sheet").waitFor();
  await look("shortcuts");
  await page.keyboard.press("Escape");

  const entries = [["Probe-1", "ucloud", "real", { product_sn: "p0001", device_sn: "d0001", broker: "wss://xn--a-7ga.ucloud.cn", colour: "red" }, ["product_secret"]]];
  await page.evaluate((to) => (location.hash = to), `#/open/1.${Buffer.from(JSON.stringify(entries)).toString("base64url")}`);
  await c.get("incoming").waitFor();
  await look("a link");
  await open("incoming-save");
  await open("profiles");
  await c.get("profile-row").waitFor();
  await look("profiles");
  await open("profiles-close");
  for (const bad of ["#/open/1.%", "#/open/2.x", `#/open/1.${Buffer.from(JSON.stringify([["a\u202e", "ucloud", "real", { keep_alive: "1", broker: "javascript:1", product_secret: "x" }, []]])).toString("base64url")}`]) {
    await page.evaluate((to) => (location.hash = to), bad);
    await c.get("incoming-refused").waitFor();
    await look("a refused link");
    await open("incoming-close");
  }

  for (const platform of PLATFORMS) {
    await c.start(platform);
    await c.state("online");
    await look(`${platform} online`);
    const rows = page.locator("[data-testid=entry] button");
    const count = await rows.count();
    for (let at = 0; at < count; at += Math.max(1, Math.floor(count / 8))) {
      await rows.nth(at).click();
      await look(`${platform}, entry ${at}`);
      for (const tab of ["decoded", "bytes", "sign"]) {
        const button = c.get(`detail-tab-${tab}`);
        if ((await button.count()) === 0) continue;
        await button.click();
        await look(`${platform}, entry ${at}, ${tab}`);
      }
      await open("detail-close");
    }
    await open("view-table");
    await open("filter");
    await look(`${platform}, table and filter`);
    await open("filter");
    await open("view-diagram");
    if (platform === "alibaba") {
      await c.get("owner").locator("summary").click();
      await open("bind-token");
      await page.locator("[data-testid=owner-state][data-state=bound]").waitFor();
      await look("bound");
    }
    await open("new-device");
  }
  await c.get("device-item").first().click();
  for (const [button, close] of [["device-share", "share-close"], ["export", "export-close"], ["page-save", "page-close"], ["device-credentials", "handover-close"]]) {
    await open(button);
    await page.locator("dialog[open]").waitFor();
    await look(button);
    await open(close);
  }
  for (const panel of await page.locator("[data-testid^=panel-]:not([data-testid=panel-close])").all()) {
    await panel.click();
    await c.get("panel").waitFor();
    await look(`panel ${await c.get("panel").getAttribute("data-panel")}`);
    await open("panel-close");
  }
  await open("cut-power");
  await c.state("cut");
  await look("power cut");

  for (const platform of PLATFORMS) {
    await page.goto(`${c.up.origin}/#/cloud/${platform}?product=${PRODUCT[platform]}`);
    await c.get("device-row").first().waitFor();
    await look(`cloud of ${platform}`);
  }
  for (const tool of ["cipher", "sign", "credentials", "wifi", "cmei", "imei", "nvs", "time", "topics"]) {
    await page.goto(`${c.up.origin}/#/tools/${tool}`);
    // Others compute as one types.
    if (await c.get("tool-run").isVisible()) await open("tool-run");
    await c.get("tool-result").waitFor();
    await look(`tool ${tool}`);
    for (const choice of ["platform", "mode", "do", "type"]) {
      const select = c.get(`tool-input-${choice}`);
      if ((await select.count()) === 0 || (await select.evaluate((element) => element.localName)) !== "select") continue;
      for (const value of await select.locator("option").evaluateAll((options) => options.map((option) => option.value))) {
        await select.selectOption(value);
        await look(`tool ${tool}, ${choice} ${value}`);
      }
    }
    for (const input of await page.locator("input[data-testid^=tool-input-], textarea[data-testid^=tool-input-]").all()) await input.fill("?");
    await look(`tool ${tool}, wrong`);
  }
  for (const view of await page.locator(".rail a").evaluateAll((links) => links.map((link) => link.getAttribute("href")))) {
    await page.goto(`${c.up.origin}/${view}`);
    await page.locator("h1").waitFor();
    await page.waitForTimeout(500);
    await look(`view ${view}`);
  }
  console.log(`# ${words} words in Latin letters were looked at`);
  assert.ok(words > 500, "the walk saw texts");
  for (const [text, screen] of left) console.log(`# ${screen}: ${text}`);
  assert.deepEqual([...left].map(([text, screen]) => `${screen}: ${text}`), []);
});
