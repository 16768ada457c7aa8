// At the clouds of the server: only there a request has a way to go, and can be called back on it.

import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { arm, armJson, begin, entries, events, fresh, strikes } from "./support/faults.js";

const LONG = { timeout: 180_000 };
const WAIT = 90_000;
const PATH = { cmcc: "/device/secret/info", alibaba: "/auth/register" };

const asked = (rows, platform) => rows.filter((row) => row.kind === "http" && row.direction === "up" && row.message.url.includes(PATH[platform])).length;

/** How often the cloud has issued or told a secret since. */
async function watch(c, platform) {
  const told = async () => (await c.up.log(platform)).filter(({ what }) => what === "secret_issued").length;
  const before = await told();
  return async () => (await told()) - before;
}

for (const platform of ["cmcc", "alibaba"]) {
  behaviour(`${platform}: the network goes right after the request for the secret; the cloud has heard it all the same`, LONG, async (c) => {
    await fresh(c, platform);
    const told = await watch(c, platform);
    await arm(c, "network", "lost_after_request", { s: "1" });
    await begin(c);
    await c.state("online", c.page, WAIT);
    const rows = await entries(c);
    assert.equal(strikes(rows, "network_loss").length, 1);
    assert.equal(events(rows, "registered").length, 1);
    // While there is no network it may ask in vain.
    assert.ok(asked(rows, platform) >= 2);
    assert.equal(await told(), 2, "the request on which the network went, and the one that was answered");
  });

  behaviour(`${platform}: the power goes right after the request for the secret; the cloud has heard it all the same`, LONG, async (c) => {
    await fresh(c, platform);
    const told = await watch(c, platform);
    await armJson(c, [{ fault: "power_cut", on: { message: "request", path: PATH[platform] }, restart_ms: 1_000 }]);
    await begin(c);
    await c.state("online", c.page, WAIT);
    const rows = await entries(c);
    assert.equal(strikes(rows, "power_cut").length, 1);
    assert.equal(asked(rows, platform), 2);
    assert.equal(await told(), 2, "both requests reached the cloud");
  });
}
