import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PATIENCE, PLATFORMS, behaviour } from "./support/console.js";

/** What a page says that looks for clouds which are not there. */
const complaints = [/ERR_INTERNET_DISCONNECTED/, /ERR_CONNECTION_REFUSED/];

/** Asks the page until it says so. */
async function until(page, question, what, argument) {
  for (const end = Date.now() + PATIENCE; !(await page.evaluate(question, argument)); await page.waitForTimeout(100)) assert.ok(Date.now() < end, what);
}

/** The page has a service worker, with all of its files. */
const kept = (page) =>
  until(
    page,
    async () => {
      const registration = await navigator.serviceWorker.getRegistration("/");
      return registration?.active?.state === "activated" && registration.installing === null;
    },
    "the service worker is there",
  );

behaviour("after one visit a device of each platform comes online in the tab with no network at all", { complaints, timeout: 240_000 }, async (c) => {
  const { page } = c;
  await kept(page);
  const names = await page.evaluate(() => caches.keys());
  assert.equal(names.length, 1);
  const paths = await page.evaluate(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname), names[0]);
  assert.ok(paths.every((path) => path === "/" || path.startsWith("/console/")), "nothing but the page is kept");
  assert.ok(paths.some((path) => /muster_all_bg.*\.wasm$/.test(path)), "the clouds in the tab are");

  await c.context.setOffline(true);
  await c.up.kill();
  await page.goto(`${c.up.origin}/`);
  for (const platform of PLATFORMS) {
    await c.start(platform);
    await c.state("online");
    await c.get("new-device").click();
  }
  // What is loaded when it is first asked for is there too.
  for (const view of ["cloud", "tools"]) {
    await c.get(`rail-${view}`).click();
    await c.get(view === "cloud" ? "cloud-platform-ucloud" : "tool-imei").waitFor();
  }
});

behaviour("what the clouds say is never kept, and comes from the server while it is there", { complaints }, async (c) => {
  const { page } = c;
  await kept(page);
  await page.reload();
  await c.start("ucloud");
  await c.state("online");
  const before = await page.evaluate(async () => (await fetch("/api/demo")).status);
  assert.equal(before, 200);
  await c.up.kill();
  const after = await page.evaluate(() => fetch("/api/demo").then(({ status }) => status, () => "nobody"));
  assert.equal(after, "nobody");
});

behaviour("the page can be installed: its manifest and icons are there", {}, async (c) => {
  const href = await c.page.locator("link[rel=manifest]").getAttribute("href");
  const response = await fetch(c.up.origin + href);
  assert.match(response.headers.get("content-type"), /^application\/manifest\+json/);
  const manifest = await response.json();
  assert.deepEqual([manifest.start_url, manifest.scope, manifest.display], ["/", "/", "standalone"]);
  for (const { src, sizes, type } of manifest.icons) {
    const icon = await fetch(c.up.origin + src);
    assert.equal(icon.headers.get("content-type"), type);
    if (type !== "image/png") continue;
    const bytes = Buffer.from(await icon.arrayBuffer());
    assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes, src);
  }
  const cdp = await c.context.newCDPSession(c.page);
  const { errors } = await cdp.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
});

behaviour("a newer version is offered, asks before it stops devices, and never comes by itself", { ownFiles: true, complaints }, async (c) => {
  const { page } = c;
  await kept(page);
  await page.reload();
  await c.start("ucloud");
  await c.state("online");
  // The same page with another file: another version.
  const worker = join(c.files, "sw.js");
  const text = await readFile(worker, "utf8");
  const [first] = await page.evaluate(() => caches.keys());
  const publish = async (version) => {
    await writeFile(worker, text.replace(/(\\"version\\":\\")[0-9a-f]+/, `$1${version}`).replace(/\\"\/console\/assets\/index-[^"\\]*\.js\\",/g, ""));
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration("/"))?.update());
    await until(page, async (version) => (await navigator.serviceWorker.getRegistration("/"))?.installing === null && (await caches.keys()).some((name) => name.endsWith(version)), `${version} waits`, version);
  };
  // One that comes and goes again before anybody reloads, and the one that stays.
  await publish("beefbeefbeefbeef");
  await publish("feedfeedfeedfeed");
  const offer = page.locator("[data-testid=notice][data-about=update]");
  await offer.waitFor();
  await c.state("online");
  await offer.getByTestId("notice-action").click();
  assert.match(await c.get("confirm").innerText(), /1 device is running/);
  await c.get("confirm-cancel").click();
  await c.state("online");
  await offer.getByTestId("notice-action").click();
  const loaded = page.waitForEvent("load");
  await c.get("confirm-ok").click();
  await loaded;
  await until(page, async () => (await caches.keys()).some((name) => name.endsWith("feedfeedfeedfeed")), "the other version is kept");
  await until(page, async () => (await caches.keys()).length === 2, "what nobody runs is gone");
  assert.ok((await page.evaluate(() => caches.keys())).includes(first), "the version that ran stays for tabs that still run it, and not the one that only waited");
});
