import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { elsewhere, settingsOf } from "./support/elsewhere.js";

for (const platform of ["ucloud", "krtyun"]) {
  behaviour(`${platform}: mqtt:// is explained, and reached by the relay with one click`, { world: "real", before: () => elsewhere() }, async (c) => {
    const { cloud } = c.before;
    const settings = await settingsOf(cloud, platform);
    assert.match(settings.broker, /^mqtt:\/\/127\.0\.0\.1:\d+$/);

    // Said before anything is tried.
    await c.get(`start-${platform}`).click();
    await c.fill(settings);
    await c.page.locator("[data-testid=reach] [data-reach=plain_tcp]").waitFor();
    await c.get("way-stuck").waitFor();
    await c.get("settings-start").click();

    // Said when it does not work, with the way out beside it.
    await c.page.locator("[data-testid=trouble-reason][data-reason=plain_tcp]").waitFor();
    await c.get("go-by-relay").click();
    await c.state("online");

    // The timeline names the vendor's address, and says how it got there; the relay's own address and token are nowhere.
    const links = c.entries("link");
    assert.ok((await links.allInnerTexts()).some((text) => text.includes(settings.broker) && text.includes("by the relay")), await links.allInnerTexts());
    const text = await c.page.locator("body").innerText();
    assert.ok(!text.includes("/relay/mqtt") && !text.includes("muster-relay"));
    const kept = await c.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
    assert.ok(!/[0-9a-f]{64}/.test(kept), "no token is kept");

    // The way is the device's own choice: it holds after a restart, and in the settings.
    await c.get("restart").click();
    await c.state("online");
    await c.get("device-settings").click();
    assert.ok(await c.get("way-relay").isChecked());
    await c.get("settings-cancel").click();
    const log = await cloud.log(platform);
    assert.equal(log.filter((line) => line.what === "secret_issued").length, 1, JSON.stringify(log));
  });
}

behaviour("a firmware comes by the relay too", { world: "real", before: () => elsewhere() }, async (c) => {
  const { cloud } = c.before;
  const settings = await settingsOf(cloud, "ucloud");
  await c.enter("ucloud", settings, "relay");
  await c.state("online");
  const image = new Uint8Array(300_000).map((_, i) => (i * 31) % 251);
  const product = settings.product_sn;
  await cloud.upload("ucloud", product, "2.0.0", image);
  await cloud.operate("ucloud", "push_upgrade", { product, version: "2.0.0", devices: [settings.device_sn] });
  await c.page.locator("[data-testid=update][data-phase=reported]").waitFor();
  assert.equal(await c.get("version-after").innerText(), "2.0.0");
});

behaviour("a server that was started anew is gone to again, with a new token", { world: "real", before: () => elsewhere(), complaints: [/WebSocket connection to 'ws:\/\/127\.0\.0\.1/, /Failed to load resource: net::ERR_/] }, async (c) => {
  await c.enter("krtyun", await settingsOf(c.before.cloud, "krtyun"), "relay");
  await c.state("online");
  await c.up.kill();
  await c.state("retrying");
  await c.up.run();
  await c.state("online", c.page, 60_000);
});
