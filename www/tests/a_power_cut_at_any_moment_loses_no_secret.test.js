import assert from "node:assert/strict";
import { PLATFORMS, behaviour } from "./support/console.js";
import { arm, begin, entries, events, fresh, packets, stores, strikes } from "./support/faults.js";

const LONG = { world: "tab", timeout: 180_000 };
const WAIT = 60_000;
const lives = (rows) => rows.flatMap((row, at) => (row.note === "started" || row.note === "restarted" ? [at] : [])).map((from, i, all) => rows.slice(from, all[i + 1]));

for (const platform of PLATFORMS) {
  behaviour(`${platform}: the power goes between receiving and storing the secret; after the restart the device registers and becomes ready`, LONG, async (c) => {
    await fresh(c, platform);
    await arm(c, "power", "cut_before_store", { restart: "1" });
    await begin(c);
    await c.state("online", c.page, WAIT);
    const [first, second, ...more] = lives(await entries(c));
    assert.deepEqual(more, []);
    assert.equal(strikes(first, "power_cut").length, 1);
    assert.deepEqual([stores(first, "credential"), events(first, "registered")], [[], []], "nothing was stored, and nothing believed");
    assert.equal(first.at(-1).note, "power_cut");
    assert.equal(events(second, "registered").length, 1);
    assert.ok(events(second, "ready").length === 1);
  });

  behaviour(`${platform}: the power goes right after the secret was stored; after the restart the device has it and does not register again`, LONG, async (c) => {
    await fresh(c, platform);
    await arm(c, "power", "cut_after_store", { restart: "1" });
    await begin(c);
    await c.state("online", c.page, WAIT);
    const [first, second] = lives(await entries(c));
    assert.deepEqual([stores(first, "credential").length, events(first, "registered").length], [1, 0]);
    const asked = [...packets(second, "up", "PUBLISH", "/password"), ...second.filter((row) => row.kind === "http" && row.direction === "up" && /secret\/info|auth\/register/.test(row.message.url)), ...packets(second, "up", "PUBLISH", "/register/post").filter((row) => !row.packet.payload.text.includes("BACK"))];
    assert.deepEqual(asked, [], "it asked for no other secret");
    assert.equal(events(second, "ready").length, 1);
  });
}

behaviour("ucloud: storage that fails stops the device with the secret in memory; trying again stores it", LONG, async (c) => {
  await fresh(c, "ucloud");
  await arm(c, "power", "store_fail");
  await begin(c);
  await c.state("stopped", c.page, WAIT);
  let rows = await entries(c);
  assert.equal(packets(rows, "up", "CONNECT").length, 1, "nothing was logged in with it");
  await c.get("try-again").click();
  await c.state("online", c.page, WAIT);
  rows = await entries(c);
  assert.equal(packets(rows, "up", "PUBLISH", "/password").length, 1, "it did not ask for another one");
  assert.equal(stores(rows, "credential").length, 1);
});

behaviour("what is armed and how far it is outlives a reload with the device, and strikes as often as it was asked to", LONG, async (c) => {
  await fresh(c, "ucloud");
  await arm(c, "power", "cut_before_store", { restart: "0", times: "2" });
  await begin(c);
  await c.state("online", c.page, WAIT);
  assert.equal(lives(await entries(c)).length, 3, "twice cut, and up again each time");
  await c.page.reload();
  await c.get("device-item").last().click();
  await c.get("panel-faults").click();
  await c.get("fault-armed").waitFor();
  assert.equal(await c.get("fault-armed").getAttribute("data-id"), "cut_before_store");
  await c.get("faults-clear").click();
  await c.get("faults-none").waitFor();
});
