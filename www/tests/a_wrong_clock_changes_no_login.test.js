import assert from "node:assert/strict";
import { PLATFORMS, behaviour } from "./support/console.js";
import { arm, begin, entries, events, fresh, openFaults, packets, strikes } from "./support/faults.js";

const LONG = { world: "tab", timeout: 180_000 };
const WAIT = 60_000;
const HOUR = 3_600_000;
const timestamp = (rows) => Number(/timestamp=(\d+)/.exec(packets(rows, "up", "CONNECT").at(-1).packet.client_id)[1]);

for (const platform of PLATFORMS) {
  behaviour(`${platform}: with a clock that is a year slow and then jumps two years, the device registers, logs in and works on`, LONG, async (c) => {
    await fresh(c, platform);
    await arm(c, "clock", "clock_skew", { h: "-8784" });
    await begin(c);
    await c.state("online", c.page, WAIT);
    let rows = await entries(c);
    assert.equal(strikes(rows, "clock_skew").length, 1);
    const unix = rows.at(-1).unix;
    assert.ok(Math.abs(unix - Date.now()) < HOUR, "the timeline keeps the right time");
    if (platform === "alibaba") assert.ok(Math.abs(timestamp(rows) + 8784 * HOUR - unix) < HOUR, "the login was signed with the wrong clock");

    await openFaults(c);
    await arm(c, "clock", "clock_jump", { h: "17568" });
    await c.get("panel-close").click();
    await c.get("report-now").click();
    await c.entries("fault", "clock_jump").waitFor();
    await c.state("online");
    await new Promise((done) => setTimeout(done, 1_500));
    rows = await entries(c);
    const after = rows.slice(rows.findIndex((row) => row.kind === "fault" && row.done.fault === "clock_jump"));
    assert.deepEqual([...events(after, "stopped"), ...events(after, "retrying")], [], "no connection broke");
    assert.equal(after.filter((row) => row.kind === "link").length, 0);
    if (platform === "cmcc") assert.ok(events(after, "warning").some(({ warning }) => warning.kind === "clock_jumped"), JSON.stringify(events(after, "warning")));
  });
}

behaviour("alibaba: without a wall clock the login is signed with the fixed time of devices without one", LONG, async (c) => {
  await fresh(c, "alibaba");
  await arm(c, "clock", "no_clock");
  await begin(c);
  await c.state("online", c.page, WAIT);
  assert.equal(timestamp(await entries(c)), 2_524_608_000_000);
});
