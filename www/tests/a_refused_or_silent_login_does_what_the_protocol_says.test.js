import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { arm, begin, entries, events, fresh, openFaults, closeFaults, packets, stores, strikes } from "./support/faults.js";

const LONG = { world: "tab", timeout: 180_000 };
const WAIT = 60_000;

for (const platform of ["ucloud", "krtyun", "alibaba"]) {
  behaviour(`${platform}: CONNACK 4 to its own secret stops the device with advice, and it registers nothing`, LONG, async (c) => {
    await c.start(platform);
    await c.state("online");
    await openFaults(c);
    await arm(c, "login", "refused_login", { code: "4" });
    assert.ok((await c.get("faults-mark").count()) >= 1, "the device is marked");
    await closeFaults(c);
    await c.get("restart").click();
    await c.state("stopped", c.page, WAIT);
    assert.notEqual((await c.get("advice-text").innerText()).trim(), "");
    const rows = await entries(c);
    const [strike] = strikes(rows, "refuse");
    assert.equal(strike.packet.return_code, 4, "what the device was shown");
    assert.equal(strike.detail, "0 → 4");
    const again = rows.slice(rows.findIndex((row) => row.note === "restarted"));
    assert.equal(stores(again, "credential").length, 0);
    assert.equal(events(again, "registered").length, 0);
    await c.get("try-again").click();
    await c.state("online", c.page, WAIT);
  });
}

behaviour("ucloud: CONNACK 3 and a silent broker are tried again by itself", LONG, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openFaults(c);
  await arm(c, "login", "refused_login", { code: "3" });
  await arm(c, "login", "silent_login");
  await closeFaults(c);
  const went = await c.watch();
  await c.get("restart").click();
  // It was online before, too.
  await went("retrying", WAIT);
  await c.state("online", c.page, WAIT);
  const rows = await entries(c);
  assert.equal(strikes(rows, "refuse").length + strikes(rows, "lose").length, 2);
  assert.ok(events(rows, "retrying").length >= 2);
});

for (const [platform, code] of [
  ["cmcc", "500"],
  ["alibaba", "6289"],
  ["ucloud", "240"],
]) {
  behaviour(`${platform}: a registration that is refused with ${code} stops, stores nothing, and goes on when a person says so`, LONG, async (c) => {
    await fresh(c, platform);
    await arm(c, "login", "vendor_code", { code });
    await begin(c);
    await c.state("stopped", c.page, WAIT);
    const rows = await entries(c);
    const [stopped] = events(rows, "stopped");
    assert.deepEqual([stopped.error.by.how, stopped.error.by.code], ["code", code]);
    assert.equal(stores(rows, "credential").length, 0);
    await c.get("try-again").click();
    await c.state("online", c.page, WAIT);
  });
}

behaviour("alibaba: a bind token that the cloud calls expired is a warning, and the next one is taken", LONG, async (c) => {
  await fresh(c, "alibaba");
  await arm(c, "login", "expired_token");
  await begin(c);
  await c.state("online", c.page, WAIT);
  await c.entries("fault", "vendor_code").waitFor();
  let rows = await entries(c);
  assert.deepEqual(events(rows, "bind_token"), [], "nothing to bind with");
  assert.equal(events(rows, "warning").filter(({ warning }) => warning.error?.by?.code === "6608").length, 1);
  await c.get("new-bind-token").click();
  await c.entries("event", "bind_token").waitFor();
  rows = await entries(c);
  assert.equal(packets(rows, "up", "PUBLISH", "/awss/enrollee/match").length, 2);
});
