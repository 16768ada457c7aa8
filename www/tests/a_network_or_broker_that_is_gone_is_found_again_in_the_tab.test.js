import assert from "node:assert/strict";
import { PLATFORMS, behaviour } from "./support/console.js";
import { arm, armJson, begin, entries, events, fresh, openFaults, packets, stores, strikes } from "./support/faults.js";

const LONG = { world: "tab", timeout: 240_000 };
const WAIT = 90_000;

for (const platform of PLATFORMS) {
  behaviour(`${platform}: the network goes right after the request for the secret; the device comes back and registers once`, LONG, async (c) => {
    await fresh(c, platform);
    await arm(c, "network", "lost_after_request", { s: "2" });
    await begin(c);
    await c.state("online", c.page, WAIT);
    const rows = await entries(c);
    assert.equal(strikes(rows, "network_loss").length, 1);
    assert.ok(events(rows, "retrying").length > 0);
    assert.equal(events(rows, "registered").length, 1);
    assert.equal(stores(rows, "credential").length, platform === "krtyun" ? 2 : 1);
  });
}

for (const platform of ["ucloud", "krtyun", "alibaba"]) {
  behaviour(`${platform}: the broker restarts; the device logs in with the secret that it has, and subscribes anew`, LONG, async (c) => {
    await c.start(platform);
    await c.state("online");
    const before = await entries(c);
    await openFaults(c);
    const went = await c.watch();
    await arm(c, "network", "broker_restart", { s: "2" });
    await c.get("panel-close").click();
    await went("retrying");
    await c.state("online", c.page, WAIT);
    const rows = (await entries(c)).slice(before.length);
    assert.ok(rows.some((row) => row.kind === "link" && row.trouble?.reason === "unreachable"), "nobody listened meanwhile");
    assert.equal(packets(rows, "down", "CONNACK").length, 1);
    assert.ok(packets(rows, "down", "SUBACK").length > 0);
    assert.equal(events(rows, "registered").length, 0);
  });
}

behaviour("ucloud: a network that loses a third of what comes, the same third each time, is enough", LONG, async (c) => {
  await fresh(c, "ucloud");
  await armJson(c, [{ id: "flaky", fault: "lose", on: { message: "publish" }, chance: 0.34, seed: 5, times: "always" }, { fault: "lose", on: { message: "puback" }, chance: 0.34, seed: 5, times: "always" }]);
  await begin(c);
  await c.state("online", c.page, WAIT);
  assert.equal(events(await entries(c), "registered").length, 1);
});
