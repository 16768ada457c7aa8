import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("a search, a filter and a pause show what was asked for, and everything again", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("ucloud");
  await c.state("online");
  const rows = page.locator("[data-testid=entry]");
  const all = await rows.count();
  const types = () => rows.evaluateAll((found) => [...new Set(found.map((row) => row.dataset["type"]))].sort());

  await c.get("search").fill("type:publish -payload:password");
  await page.locator("[data-testid=entry][data-type=CONNECT]").first().waitFor({ state: "detached" });
  assert.deepEqual(await types(), ["PUBLISH"]);
  assert.match(await c.get("count").innerText(), new RegExp(`^${await rows.count()} of ${all}$`));
  await c.get("search").press("Escape");
  await page.locator("[data-testid=entry][data-type=CONNECT]").first().waitFor();

  await c.get("filter").click();
  await c.get("filter-mqtt").uncheck();
  await page.locator("[data-testid=entry][data-kind=mqtt]").first().waitFor({ state: "detached" });
  assert.ok((await rows.count()) > 0);
  await c.get("filter-problems").check();
  await page.getByText("Nothing here is what the filter asks for.").waitFor();
  await c.get("filter-clear").click();
  await page.locator("[data-testid=entry][data-kind=mqtt]").first().waitFor();
  assert.equal(await rows.count(), all);

  // The table shows the same.
  await c.get("view-table").click();
  assert.equal(await rows.count(), all);
  assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), String((await page.getByRole("row").count())));

  await c.get("pause").click();
  await c.get("report-now").click();
  await c.get("latest").waitFor();
  assert.equal(await rows.count(), all, "the list stays as it is");
  assert.match(await c.get("latest").innerText(), /new/);
  await c.get("latest").click();
  await c.get("latest").waitFor({ state: "detached" });
  assert.ok((await rows.count()) > all, "what came meanwhile was kept");
  assert.equal(await c.get("follow").getAttribute("aria-pressed"), "true");
});
