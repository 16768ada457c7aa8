import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { fleetPage } from "./support/figures.js";

for (const [world, storage] of [["local", "memory"], ["local", "browser"], ["tab", "memory"]]) {
  behaviour(`a device leaves its fleet with what it stored (${world}, ${storage}), and registers nothing again`, { world }, async (c) => {
    const fleets = await fleetPage(c, world);
    const { page } = fleets;
    await fleets.count("krtyun", 5, "leaves-");
    await fleets.get("fleet-storage").selectOption(storage);
    await fleets.run();
    assert.ok(await fleets.verdict());
    await page.locator("[data-testid=fleet-row][data-name=leaves-000003] [data-testid=fleet-open]").click();
    await page.getByTestId("confirm-ok").click();
    await c.state("online", page);
    assert.equal(await c.entries("event", "registered", page).count(), 0, "it had its secret");
    await page.getByTestId("rail-fleet").click();
    await page.locator("[data-testid=fleet-count-of][data-state=taken]").waitFor();
    assert.deepEqual(await fleets.counts(), { registering: 0, login: 0, online: 4, taken: 1 });
    await fleets.get("fleet-stop").click();
    await page.locator("[data-testid=fleet][data-phase=idle]").waitFor();

    // The others come back with theirs.
    await fleets.run();
    assert.ok(await fleets.verdict());
    const results = (await fleets.saved("fleet-results-csv")).trimEnd().split("\n");
    assert.deepEqual(results.slice(1).map((line) => line.split(",").slice(1, 3).join(" ")), ["ready before", "ready before", "taken now", "ready before", "ready before"]);
  });
}
