import assert from "node:assert/strict";
import { PLATFORMS, behaviour } from "./support/console.js";
import { inTab } from "./support/figures.js";

const DEVICES = 10_000;
/** In a second: docs/console/fleet.md says so, and `cargo xtask bench browser` holds the same. */
const RATE = 500;
/** The page goes on: the work is in its Worker. */
const STALL = 2_000;

for (const platform of PLATFORMS) {
  behaviour(`${DEVICES} devices of ${platform} become ready against the clouds in the tab`, { timeout: 700_000 }, async (c) => {
    const { passed, ready, seconds, rate, counts, stall, fleets } = await inTab(c, platform, DEVICES);
    console.log(`# ${platform}: ${ready} devices ready in ${seconds.toFixed(1)} s, ${rate.toFixed(0)} a second; the page stood still for at most ${stall.toFixed(0)} ms`);
    assert.ok(passed, JSON.stringify(counts));
    assert.equal(counts.online, DEVICES);
    assert.ok(rate >= RATE, `${rate} a second`);
    assert.ok(stall <= STALL, `${stall} ms`);
    // All of them are there to be looked at, and few are drawn.
    assert.equal(await fleets.get("fleet-shown").getAttribute("data-total"), String(DEVICES));
    assert.ok((await fleets.get("fleet-row").count()) < 100);
    await fleets.fill("fleet-search", "009999");
    await fleets.page.locator("[data-testid=fleet-shown][data-total='1']").waitFor();
    assert.match(await fleets.get("fleet-row").first().getAttribute("data-name"), /009999$/);
    // The cloud says so too.
    await fleets.get("fleet-stop").click();
    await fleets.page.locator("[data-testid=fleet][data-phase=idle]").waitFor();
  });
}
