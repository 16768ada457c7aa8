import assert from "node:assert/strict";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";

for (const platform of PLATFORMS) {
  behaviour(`${platform}: one click, and a device registers and comes online`, {}, async (c) => {
    const begin = Date.now();
    await c.start(platform);
    await c.state("online");
    assert.ok(Date.now() - begin < 10_000, "within ten seconds of the click");

    // The secret was kept before anything else was done with it, and no row shows it.
    await c.entries("store", "put").first().waitFor();
    const name = (await c.up.get("/api/demo"))[platform].settings;
    const device = await c.up.device(platform, PRODUCT[platform], name.device_sn ?? name.device_no ?? name.device_id ?? name.device_name);
    assert.ok(device, "the cloud knows the device");
    const text = await c.page.locator("body").innerText();
    for (const secret of [device.secret, name.product_secret, platform === "cmcc" ? name.product_key : undefined]) {
      if (secret) assert.ok(!text.includes(secret), "a secret is shown only when asked for");
    }
  });
}
