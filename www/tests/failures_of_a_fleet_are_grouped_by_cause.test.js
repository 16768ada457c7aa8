import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { fleetPage } from "./support/figures.js";

behaviour("failures are grouped by cause, with a count, the first example and the next move", { hosts: ["127.0.0.1:9"], complaints: [/ERR_CONNECTION_REFUSED/, /WebSocket connection/, /127\.0\.0\.1:9/] }, async (c) => {
  await c.up.operate("ucloud", "import_devices", { product: PRODUCT.ucloud, csv: "device_sn\nknown-1\nknown-2\n" });
  const fleets = await fleetPage(c);
  const { page } = fleets;
  const port = new URL(c.up.origin).port;
  const dead = "ws://127.0.0.1:9/mqtt/ucloud";
  const rows = ["known-1,", "known-2,", "unknown-1,", "unknown-2,", "unknown-3,", `gone-1,${dead}`, `gone-2,${dead}`];
  await fleets.list("ucloud", `device_sn,broker\n${rows.join("\n")}\n`);
  await fleets.fill("fleet-minutes", "0.2");
  await fleets.run();
  assert.equal(await fleets.verdict(), false);
  const causes = await fleets.get("fleet-cause").evaluateAll((all) => all.map((one) => ({ ...one.dataset, text: one.innerText })));
  assert.equal(causes.length, 2, JSON.stringify(causes));
  const [rejected, network] = [causes.find(({ blame }) => blame === "rejected"), causes.find(({ blame }) => blame === "network")];
  assert.equal(rejected.devices, "3");
  assert.match(rejected.text, /unknown-1/);
  assert.match(rejected.text, /operator/);
  assert.equal(network.devices, "2");
  assert.match(network.text, /gone-1/);
  assert.ok(!network.text.includes(port));
  // A state is a filter of the table.
  await page.locator("[data-testid=fleet-count-of][data-state=rejected]").click();
  await page.locator("[data-testid=fleet-shown][data-total='3']").waitFor();

  // What was missing is there now: those that gave up try again, and nobody else registers a second time.
  await c.up.operate("ucloud", "import_devices", { product: PRODUCT.ucloud, csv: "device_sn\nunknown-1\nunknown-2\nunknown-3\n" });
  await fleets.get("fleet-again").click();
  await page.locator("[data-testid=fleet-count-of][data-state=online][data-count='5']").waitFor();
  const issued = (await c.up.log("ucloud")).filter(({ what }) => what === "secret_issued");
  assert.equal(issued.length, 5);
});
