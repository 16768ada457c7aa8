import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { elsewhere, settingsOf } from "./support/elsewhere.js";

const SETTINGS = { product_id: "20191210", device_id: "10001", product_secret: "TheProductSecret" };

behaviour("a relay that is switched off is told how to be switched on", { world: "real", before: () => elsewhere(false), complaints: [/\/api\/relay\/token/, /Failed to load resource: net::ERR_/] }, async (c) => {
  const settings = await settingsOf(c.before.cloud, "krtyun");
  await c.enter("krtyun", settings);
  await c.page.locator("[data-testid=trouble-reason][data-reason=plain_tcp]").waitFor();
  assert.equal(await c.get("relay-command").innerText(), "muster up --relay");
  assert.equal(await c.get("go-by-relay").count(), 0);

  // And who goes by it all the same hears the same.
  await c.get("device-settings").click();
  await c.get("way-relay").check();
  await c.page.getByTestId("settings-dialog").getByTestId("relay-needs").waitFor();
  await c.get("settings-start").click();
  await c.page.locator("[data-testid=trouble-reason][data-reason=relay_off]").waitFor();

  // Once it runs with one, a second look finds it.
  await c.up.kill();
  c.up.more = [...c.up.more, ...(await relayTo(settings.broker))];
  await c.up.run();
  await c.state("online", c.page, 60_000);
});

async function relayTo(broker) {
  return ["--relay", "--relay-allow", broker.replace("mqtt://", "")];
}

behaviour("an address that is not on the list is told what to add, beside what was allowed before", { world: "real", before: async () => ({ args: ["--relay", "--relay-allow", "127.1:1883"] }) }, async (c) => {
  for (const [broker, reason, command] of [
    ["mqtts://broker.invalid:8883", "relay_host", "muster up --relay --relay-allow 127.1:1883 --relay-allow broker.invalid:8883"],
    ["mqtt://127.1", "relay_address", "muster up --relay --relay-allow 127.1:1883 --relay-allow 127.0.0.1:1883"],
  ]) {
    await c.get("start-krtyun").click();
    await c.fill({ ...SETTINGS, broker });
    await c.get("way-relay").check();
    // Before it is tried, as far as the list tells.
    if (reason === "relay_host") assert.equal(await c.page.getByTestId("settings-dialog").getByTestId("relay-command").innerText(), command);
    await c.get("settings-start").click();
    await c.page.locator(`[data-testid=trouble-reason][data-reason=${reason}]`).waitFor();
    assert.equal(await c.get("relay-command").innerText(), command);
    await c.get("stop").click();
    await c.get("new-device").click();
  }
});
