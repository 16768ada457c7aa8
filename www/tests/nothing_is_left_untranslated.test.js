import assert from "node:assert/strict";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";

/**
 * Words that a Chinese engineer writes as they are: names, protocols, what stands in code and on keys. Whatever has a
 * digit, an underscore, a dot or capitals within is taken as a name too.
 */
const SAME = new Set(
  `Muster UCloud krtyun Alibaba UIoT Core Living Link WebAssembly WebSocket Worker Token token App app Esc Enter Home End Del Tab
  ping wss mqtt mqtts http https ws muster device up local tab real broker seed localhost Memory IndexedDB GitHub Chromium
  hex digest realm online offline cmcc ucloud alibaba ssid random mac awss cipher list filter bind window relay gateway topo permit
  interval daily production test setting register regnwl hmacsha256 hmacsha1 hmacmd5 true false Keep Alive Version Module Shift
  ms default imei cmei mode latency success params timestamp version platform wifi code
  Luhn Breeze uiot-core key value username password signature valid tui serial luhn tac
  deviceName deviceSecret productKey clientId authType securemode signmethod iotId demo Demo gateway1 Probe English`.split(/\s+/),
);

/** Every text that is seen or read out and is not code, with the words of it that are in Latin letters. */
function latin(page) {
  return page.evaluate(() => {
    const CODE = "code, pre, kbd, samp, .mono, [class*=mono], option, textarea, script, style, [data-testid=log], [data-testid=announcer]";
    const isCode = (element) => element.closest(CODE) !== null || /mono/i.test(getComputedStyle(element).fontFamily.split(",")[0] ?? "");
    const found = [];
    // Titles of documents and of their sections are cited as they are.
    const cited = (text) => text.replace(/《[^》]*》/g, "").replace(/ ?的 [A-Z][A-Za-z ]+/g, "");
    const note = (where, text) => {
      for (const word of cited(text).match(/[A-Za-z0-9_][A-Za-z0-9_.&'’/:-]*[A-Za-z0-9_]|[A-Za-z]{2}/g) ?? []) found.push({ where, word, text: text.slice(0, 120) });
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      const text = node.textContent.trim();
      if (element === null || text === "" || isCode(element) || !element.checkVisibility()) continue;
      note("text", text);
    }
    for (const element of document.querySelectorAll("[aria-label], [title], [placeholder]"))
      for (const name of ["aria-label", "title", "placeholder"]) {
        const text = element.getAttribute(name);
        if (text !== null && element.checkVisibility() && !(name === "placeholder" && element.matches(".mono"))) note(name, text);
      }
    return found;
  });
}

const isName = (word) => SAME.has(word) || /[0-9_.&/:]/.test(word) || /^[A-Z]{2,}s?$/.test(word) || /[a-z][A-Z]|[A-Z]{2}/.test(word) || /^[A-Z][A-Za-z]*(-[A-Z][A-Za-z]*)+$/.test(word) || !/[A-Za-z]{2}/.test(word);

behaviour("in Chinese no screen has a text that is left in English", { lang: "zh", timeout: 400_000 }, async (c) => {
  const { page } = c;
  const left = new Map();
  let words = 0;
  const look = async (screen) => {
    for (const { where, word, text } of await latin(page)) {
      words += 1;
      if (!isName(word)) left.set(`${word}: ${where} “${text}”`, screen);
    }
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
    await open("settings-cancel");
  }
  await c.get("world-tab").click();
  await page.keyboard.press("?");
  await c.get("shortcuts-sheet").waitFor();
  await look("shortcuts");
  await page.keyboard.press("Escape");

  const entries = [["Probe 1", "ucloud", "real", { product_sn: "p0001", device_sn: "d0001", broker: "wss://xn--a-7ga.ucloud.cn", colour: "red" }, ["product_secret"]]];
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
  for (const tool of ["cipher", "sign", "credentials", "cmei", "imei"]) {
    await page.goto(`${c.up.origin}/#/tools/${tool}`);
    await open("tool-run");
    await c.get("tool-result").waitFor();
    await look(`tool ${tool}`);
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
