import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

const complaints = [/WebSocket connection to 'ws:\/\/127\.0\.0\.1/, /Failed to load resource: net::ERR_/];

for (const platform of ["ucloud", "krtyun", "alibaba"]) {
  behaviour(`${platform}: clouds that were killed and come back find the device online again, by itself`, { complaints }, async (c) => {
    await c.start(platform);
    await c.state("online");
    await c.up.kill();
    await c.state("retrying");
    // The page stays where it was, and says when it tries next.
    assert.notEqual((await c.get("next").innerText()).trim(), "");
    await c.up.run();
    await c.state("online", c.page, 60_000);
    const log = await c.up.log(platform);
    assert.ok(!log.some((line) => line.what === "secret_issued"), "it came back with the secret it had");
    const device = (await c.up.operate(platform, "list_devices", { product: PRODUCT[platform] })).items.find((item) => item.state === "online");
    assert.ok(device, "the cloud says so too");
  });
}

behaviour("a network that is dropped in the page comes back by itself", {}, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await c.get("drop-network").click();
  await c.page.locator("[data-testid=note][data-note=network_dropped]").waitFor();
  await c.page.locator("[data-testid=entry][data-type=CONNACK]").nth(2).waitFor();
  await c.state("online");
});
