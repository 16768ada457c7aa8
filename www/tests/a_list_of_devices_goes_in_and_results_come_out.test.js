import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { fleetPage } from "./support/figures.js";

behaviour("a list of devices goes in, results come out as muster fleet writes them, and secrets only after a warning", { world: "tab" }, async (c) => {
  const fleets = await fleetPage(c, "tab");
  const { page } = fleets;
  const names = ["112233445566", "112233445567", "112233445568"];
  // As a spreadsheet writes it, with a device that the cloud does not know.
  await fleets.list("ucloud", `\ufeffdevice_sn,firmware_version\r\n${names.map((name) => `"${name}",2.0.0\r\n`).join("")}# a note\r\nunknown-1,\r\n`);
  assert.match(await fleets.get("fleet-file-name").textContent(), /devices\.csv.*4/);
  await fleets.run();
  assert.equal(await fleets.verdict(), false);
  const counts = await fleets.counts();
  assert.deepEqual([counts.online, counts.rejected + (counts.failed ?? 0)], [3, 1]);

  const results = (await fleets.saved("fleet-results-csv")).trimEnd().split("\n");
  assert.equal(results[0], "device,state,registered,why,next");
  assert.deepEqual(results.slice(1, 4), names.map((name) => `${name},ready,now,,`));
  assert.match(results[4], /^unknown-1,failed,,.*ucloud.*,.*operator/);

  const json = JSON.parse(await fleets.saved("fleet-results-json"));
  assert.equal(json.format, "muster-fleet-results");
  assert.equal(json.devices.length, 4);

  // Nothing of it has a secret; the list of credentials has them all, and is a list again.
  const credentials = await fleets.saved("fleet-credentials", true);
  const [header, ...rows] = credentials.trim().split("\n");
  assert.equal(header, "product_sn,device_sn,device_secret");
  assert.equal(rows.length, 3);
  const secrets = rows.map((row) => row.split(",")[2]);
  for (const secret of secrets) {
    assert.ok(secret.length >= 8);
    assert.ok(!results.join("\n").includes(secret) && !JSON.stringify(json).includes(secret));
  }
  assert.deepEqual(rows.map((row) => row.split(",").slice(0, 2)), names.map((name) => [PRODUCT.ucloud, name]));

  await fleets.get("fleet-stop").click();
  await fleets.get("fleet-clear").click();
  await fleets.list("ucloud", credentials, "credentials.csv");
  await fleets.run();
  assert.ok(await fleets.verdict());
  assert.equal((await fleets.counts()).online, 3);
  const again = (await fleets.saved("fleet-results-csv")).trimEnd().split("\n");
  assert.deepEqual(again.slice(1), names.map((name) => `${name},ready,before,,`));
  // Nothing of it is kept anywhere beyond the page's memory.
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  for (const secret of secrets) assert.ok(!kept.includes(secret));
});
