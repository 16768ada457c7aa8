import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { behaviourOf, installed } from "./support/site.js";
import { Up } from "./support/up.js";

/** A page with this in its body; the API is at `window.muster`, what the elements said in `window.said`. */
const page = (body, lang = "en") => async () => {
  const folder = await installed();
  await writeFile(join(folder, "index.html"), `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><title>Devices</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script></head><body><main><h1>Devices</h1>${body}</main></body></html>`);
  await writeFile(
    join(folder, "page.js"),
    `import * as muster from "./node_modules/muster-device/dist/index.js";
import "./node_modules/muster-device/dist/element.js";
window.muster = muster;
window.said = [];
for (const type of ["muster-state", "muster-entry", "muster-error"])
  document.addEventListener(type, ({ detail }) => window.said.push(type === "muster-state" ? detail.state : type === "muster-entry" ? detail.entry.kind : { name: detail.error.name, message: detail.error.message, next: detail.error.next }));`,
  );
  return folder;
};
const TAB = '<muster-device platform="ucloud" cloud="tab"></muster-device>';
const element = (page) => page.locator("muster-device");
const state = (page, word) => element(page).locator(`.state[data-state=${word}]`).waitFor();
const start = (page) => element(page).getByRole("button", { name: "Start" });
const stop = (page) => element(page).getByRole("button", { name: "Stop" });
const said = (page) => page.evaluate(() => window.said);

behaviourOf("with keys alone it starts and stops, the focus stays, and the states are told in order", page(TAB), async (page) => {
  await start(page).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await state(page, "online");
  assert.equal(await page.evaluate(() => document.querySelector("muster-device").shadowRoot.activeElement.textContent), "Stop");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.querySelector("muster-device").shadowRoot.activeElement.className), "timeline", "what scrolls is reached");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await state(page, "off");
  assert.equal(await page.evaluate(() => document.querySelector("muster-device").shadowRoot.activeElement.textContent), "Start");
  const states = (await said(page)).filter((what) => typeof what === "string" && !["mqtt", "event", "store", "link", "http"].includes(what));
  assert.deepEqual([states[0], states.at(-2), states.at(-1)], ["starting", "online", "off"]);
  assert.ok((await said(page)).includes("mqtt"));
});

behaviourOf("two clicks are one device, and a start that is stopped at once leaves none", page(TAB), async (page) => {
  await start(page).waitFor();
  await page.evaluate(async () => {
    const element = document.querySelector("muster-device");
    const [one, two] = [element.start(), element.start()];
    await Promise.all([one, two]);
  });
  await state(page, "online");
  await page.evaluate(() => document.querySelector("muster-device").stop());
  await state(page, "off");
  const left = await page.evaluate(async () => {
    const element = document.querySelector("muster-device");
    const starting = element.start().then(() => "started", (error) => error.name);
    await element.stop();
    return [await starting, element.state, element.device === null || element.device.over];
  });
  assert.deepEqual(left.slice(1), ["off", true]);
  assert.ok(left[0] === "AbortError" || left[0] === "started", left[0]);
});

behaviourOf("a secret in the markup is refused, and as a property it is taken", page('<muster-device platform="ucloud" cloud="tab" setting-product-secret="in the open"></muster-device>'), async (page) => {
  await start(page).click();
  const alert = element(page).getByRole("alert");
  await alert.getByText("a secret has no place in a page's markup").waitFor();
  const [error] = (await said(page)).filter((what) => typeof what === "object");
  assert.match(error.next, /element\.settings = \{ product_secret: … \}/);
  assert.ok(!JSON.stringify(await said(page)).includes("in the open"), "no event repeats it");
  const ready = await page.evaluate(async () => {
    const element = document.querySelector("muster-device");
    element.removeAttribute("setting-product-secret");
    const cloud = await window.muster.Cloud.start();
    const { settings, devices } = (await cloud.demo()).ucloud;
    element.cloud = cloud;
    element.settings = { product_secret: settings.product_secret, device_sn: devices[2] };
    await element.start();
    await element.device.ready({ timeout: 20_000 });
    return [element.device.identity.device, devices[2]];
  });
  assert.equal(ready[0], ready[1]);
});

for (const [markup, says] of [
  ['<muster-device platform="aws"></muster-device>', "platform: one of ucloud, cmcc, krtyun, alibaba"],
  ['<muster-device platform="ucloud" cloud="mine"></muster-device>', 'cloud: "tab", or no such attribute'],
  ['<muster-device platform="ucloud" cloud="tab" storage="disk"></muster-device>', 'storage: "memory" or "browser"'],
  ['<muster-device platform="ucloud" cloud="tab" setting-colour="red"></muster-device>', "colour"],
]) {
  behaviourOf(`what cannot be used is said: ${markup}`, page(markup), async (page) => {
    await start(page).click();
    await element(page).getByRole("alert").getByText(says).waitFor();
    assert.equal((await said(page)).filter((what) => typeof what === "object").length, 1);
    await state(page, "off");
    await start(page).waitFor();
  });
}

behaviourOf("a device that gives up says why and what to do", page('<muster-device platform="ucloud" cloud="tab" setting-device-sn="999999999999"></muster-device>'), async (page, { faults }) => {
  await start(page).click();
  await state(page, "stopped");
  const [error] = (await said(page)).filter((what) => typeof what === "object");
  assert.equal(error.name, "DeviceStopped");
  assert.equal(error.next, "import_device");
  await element(page).getByRole("alert").getByText("import_device").waitFor();
  assert.deepEqual(await faults(), []);
});

behaviourOf("it speaks the language around it, and another one when asked", page(`<div lang="zh-CN">${TAB}</div>`), async (page, { faults }) => {
  await element(page).getByRole("button", { name: "启动" }).click();
  await element(page).getByRole("status").getByText("在线").waitFor();
  await element(page).getByText("已注册", { exact: true }).waitFor();
  assert.deepEqual(await faults(), []);
  await element(page).evaluate((element) => element.setAttribute("lang", "en"));
  await element(page).getByRole("status").getByText("Online").waitFor();
  await element(page).getByText("registered", { exact: true }).waitFor();
  assert.equal(await element(page).getByText("已注册", { exact: true }).count(), 0, "old rows are told anew");
});

behaviourOf("one that is taken out of the page stops, one that is moved goes on", page(`<div id="here">${TAB}</div><div id="there"></div>`), async (page) => {
  await start(page).click();
  await state(page, "online");
  assert.equal(await page.evaluate(() => (document.querySelector("#there").append(document.querySelector("muster-device")), new Promise((resolve) => setTimeout(() => resolve(document.querySelector("muster-device").state), 50)))), "online");
  const ended = await page.evaluate(async () => {
    const element = document.querySelector("muster-device");
    const { device } = element;
    element.remove();
    await device.ended;
    return device.over;
  });
  assert.equal(ended, true);
});

behaviourOf("a page's styles do not come in, its parts and properties do", page(TAB), async (page) => {
  await start(page).waitFor();
  const seen = await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("button { display: none } .card { display: none } muster-device { --muster-accent: rgb(1, 2, 3) } muster-device::part(card) { border-radius: 3px }");
    document.adoptedStyleSheets = [sheet];
    const { shadowRoot } = document.querySelector("muster-device");
    const of = (selector) => getComputedStyle(shadowRoot.querySelector(selector));
    return [of(".start").display !== "none", of(".start").backgroundColor, of(".card").borderRadius];
  });
  assert.deepEqual(seen, [true, "rgb(1, 2, 3)", "3px"]);
});

// Over the network: a page that has no cloud loads the small module alone.
const up = { current: undefined };
const networked = async () => {
  up.current = await Up.start();
  const { settings } = (await up.current.get("/api/demo")).ucloud;
  return page(`<muster-device platform="ucloud" setting-broker="${up.current.line.ws.ucloud}" setting-product-sn="${settings.product_sn}" setting-device-sn="${settings.device_sn}"></muster-device>`)();
};
behaviourOf("over the network it needs the small module alone", networked, async (page, { asked }) => {
  try {
    const { settings } = (await up.current.get("/api/demo")).ucloud;
    await element(page).evaluate((element, product_secret) => (element.settings = { product_secret }), settings.product_secret);
    await start(page).click();
    await state(page, "online");
    assert.ok(asked.some((url) => url.endsWith("/muster_bg.wasm")));
    assert.ok(!asked.some((url) => url.endsWith("/muster_all_bg.wasm")));
    await stop(page).click();
    await state(page, "off");
  } finally {
    await up.current.end();
  }
});
