import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

/** The parts that do not come, by what their files are called, and what the browser says of it. */
const PARTS = /\/assets\/(offline|bundle|tools|faults)-[^/]*\.js$/;
const complaints = [/net::ERR_FAILED/];

behaviour("a part that is fetched when it is asked for, and does not come, is told, and comes when its server is back", { complaints }, async (c) => {
  const { page } = c;
  await page.route(PARTS, (route) => route.abort());
  // Nobody has asked for what keeps the page for later, so nothing is said of it.
  const silent = page.waitForEvent("requestfailed", (request) => /\/offline-/.test(request.url()));
  await page.reload();
  await silent;
  await page.waitForTimeout(500);
  assert.equal(await c.get("notice").count(), 0);

  const told = page.locator("[data-testid=notice][data-about=not-loaded]");
  const close = async () => {
    await told.waitFor();
    await told.getByTestId("notice-close").click();
    await told.waitFor({ state: "detached" });
  };
  await c.start("ucloud");
  await c.state("online");
  for (const asked of ["page-save", "panel-faults", "rail-tools"]) {
    await c.get(asked).click();
    await close();
  }

  await page.unroute(PARTS);
  await c.get("rail-devices").click();
  await c.get("page-save").click();
  await c.get("page-dialog").waitFor();
});
