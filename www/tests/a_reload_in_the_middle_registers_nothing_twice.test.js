import assert from "node:assert/strict";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";

const complaints = [/WebSocket connection to 'ws:\/\/127\.0\.0\.1/];
const names = (settings) => settings.device_sn ?? settings.device_no ?? settings.device_id ?? settings.device_name;

for (const platform of PLATFORMS) {
  // The worst moment: the cloud has given the secret, and the page is gone before the device could use it.
  behaviour(`${platform}: a page that is reloaded as soon as the secret is kept goes on with it`, { complaints }, async (c) => {
    await c.startWith(platform, { storage: "browser" });
    await c.page.evaluate(
      () =>
        new Promise((done) => {
          const kept = () => document.querySelector("[data-testid=entry][data-kind=store][data-type=put]") !== null;
          const look = () => (kept() ? done() : requestAnimationFrame(look));
          look();
        }),
    );
    await c.page.reload();
    await c.first();
    const { settings } = (await c.up.get("/api/demo"))[platform];
    const secretOf = async () => (await c.up.device(platform, PRODUCT[platform], names(settings)))?.secret;
    const before = await secretOf();

    await c.startWith(platform, { storage: "browser" });
    await c.state("online");
    const log = await c.up.log(platform);
    assert.equal(log.filter((line) => line.what === "secret_issued").length, 1, "one secret was handed out");
    assert.ok(before, "the cloud had given a secret");
    assert.equal(await secretOf(), before);
  });

  behaviour(`${platform}: a page that is reloaded while it registers comes to one device with one secret`, { complaints }, async (c) => {
    const { settings } = (await c.up.get("/api/demo"))[platform];
    // Each time a little later: before the first packet, between any two, after the last.
    for (const pause of [0, 15, 30, 60, 120, 240]) {
      await c.startWith(platform, { storage: "browser" });
      await c.page.waitForTimeout(pause);
      await c.page.reload();
      await c.first();
    }
    await c.startWith(platform, { storage: "browser" });
    await c.state("online");
    // Once the device was online (or, at China Mobile, had reported), nothing more was handed out to it.
    const lines = (await c.up.log(platform)).filter((line) => line.subject?.includes(names(settings)));
    const online = lines.findIndex((line) => line.what === (platform === "cmcc" ? "reported" : "activated"));
    assert.ok(online >= 0, "it came online");
    assert.ok(!lines.slice(online).some((line) => line.what === "secret_issued"), "no secret was handed out to an active device");
  });
}

behaviour("secrets are gone with the page unless the browser was asked to keep them", {}, async (c) => {
  await c.start("krtyun");
  await c.state("online");
  const kept = await c.page.evaluate(async () => {
    const databases = await indexedDB.databases();
    return { databases: databases.length, local: JSON.stringify({ ...localStorage }), session: JSON.stringify({ ...sessionStorage }) };
  });
  assert.equal(kept.databases, 0, "nothing was written to IndexedDB");
  const { items } = await c.up.operate("krtyun", "list_devices", { product: PRODUCT.krtyun, reveal: true, limit: 10 });
  assert.ok(items[0].secret);
  assert.ok(!`${kept.local}${kept.session}`.includes(items[0].secret));
});
