import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

for (const [platform, field] of [
  ["ucloud", "device_sn"],
  ["krtyun", "device_id"],
  ["alibaba", "device_name"],
]) {
  behaviour(`${platform}: with a stored secret that the cloud has changed, the device stops and says what to do`, {}, async (c) => {
    await c.startWith(platform, { storage: "browser" });
    await c.state("online");
    await c.get("stop").click();
    await c.state("off");
    const { settings } = (await c.up.get("/api/demo"))[platform];
    const place = { product: PRODUCT[platform], device: settings[field] };
    await c.up.operate(platform, "reset", { ...place, new_secret: true });
    const issued = async () => (await c.up.log(platform)).filter((line) => line.what === "secret_issued").length;
    const before = await issued();

    await c.get("restart").click();
    await c.state("stopped");
    assert.equal(await c.get("trouble").getAttribute("data-blame"), "rejected");
    assert.notEqual((await c.get("advice-text").innerText()).trim(), "");
    // Nothing registers a second time unless a person says so.
    assert.equal(await issued(), before);
  });
}
