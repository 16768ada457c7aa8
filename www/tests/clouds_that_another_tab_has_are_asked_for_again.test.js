import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("kept clouds run in one tab: another one says so, stays alive, and has them once the first is closed", { world: "tab", timeout: 180_000 }, async (c) => {
  const first = c.page;
  await c.get("keep-tab").check();
  await c.get("start-ucloud").and(first.locator(":enabled")).waitFor();

  const second = await first.context().newPage();
  await second.goto(c.up.origin);
  await second.getByTestId("world-tab").click();
  const failed = second.getByTestId("first-failed");
  await failed.waitFor();
  assert.match(await failed.innerText(), /another tab/);
  // It has not asked without end: a frame and a timer come as they do on any page.
  const late = await second.evaluate(() => {
    const begun = performance.now();
    return new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(performance.now() - begun)), 50));
  });
  assert.ok(late < 2_000, `${late} ms`);

  await second.getByTestId("first-again").click();
  await failed.waitFor();
  await first.close();
  // The lock goes with the tab, a moment later.
  await assert.doesNotReject(async () => {
    for (let left = 50; (await failed.count()) > 0; left -= 1) {
      assert.ok(left > 0, "the clouds are never free");
      await second.getByTestId("first-again").click();
      await second.waitForTimeout(200);
    }
  });
  await second.getByTestId("start-ucloud").click();
  await second.locator("[data-testid=device-state][data-state=online]").waitFor();
});
