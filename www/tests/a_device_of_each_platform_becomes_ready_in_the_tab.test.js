import assert from "node:assert/strict";
import { PLATFORMS, behaviour } from "./support/console.js";

for (const platform of PLATFORMS) {
  behaviour(`${platform}: a device comes online at the cloud in the tab, and the server hears nothing of it`, { world: "tab" }, async (c) => {
    const before = (await c.up.log(platform)).length;
    await c.start(platform);
    await c.state("online");
    assert.equal((await c.up.log(platform)).length, before);
  });
}
