import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { appSettings, open } from "./support/bind.js";

behaviour("a refused iotToken is told with what to do, and a new login works; no token is ever shown", {}, async (c) => {
  const { page, up } = c;
  await up.operate("alibaba", "create_owner", { identity: "alice" });
  await open(c, "calls");
  await page.locator("[data-testid=account-owner] option[value=alice]").waitFor({ state: "attached" });
  await c.get("account-owner").selectOption("alice");
  await page.waitForFunction(() => document.querySelector("[data-testid=account-owner]")?.value === "alice");
  await c.get("call-send").click();
  await page.locator("[data-testid=iot-token][data-state=good]").waitFor();
  assert.equal(await c.get("call-reply").getAttribute("data-reply"), "discovered");
  // Somebody logs in elsewhere.
  const made = await up.operate("alibaba", "create_owner", { identity: "alice" });
  await up.operate("alibaba", "switch", { name: "refresh_token_seconds", value: "1" });
  await up.operate("alibaba", "create_owner", { identity: "alice" });
  await c.get("call-send").click();
  await page.locator("[data-testid=iot-token][data-state=refused]").waitFor();
  assert.match(await c.get("iot-token-next").innerText(), /Log in anew/);
  assert.match(await c.get("call-wrong").innerText(), /401/);
  await c.get("log-in").click();
  await page.locator("[data-testid=iot-token][data-state=unused]").waitFor();
  await c.get("call-send").click();
  await page.locator("[data-testid=iot-token][data-state=good]").waitFor();
  const tokens = (await up.operate("alibaba", "list_owners", { reveal: true })).items.flatMap((owner) => [owner.iot_token, owner.refresh_token]).concat(made.items[0].iot_token);
  for (const name of ["request", "sign", "curl"]) {
    await c.get(`exchange-${name}`).last().click();
    const text = await page.locator("body").innerText();
    for (const token of tokens) assert.ok(!text.includes(token), `a token is shown in ${name}`);
  }
});

behaviour("a gateway of one's own: its settings are asked for, and its refusals told", { world: "real" }, async (c) => {
  const { page, up } = c;
  const { settings } = (await up.get("/api/demo")).alibaba_app;
  await open(c, "calls");
  await appSettings(c, { base_url: up.origin, app_key: settings.app_key, app_secret: "wrong", iot_token: settings.iot_token, home_id: settings.home_id });
  await c.get("call-send").click();
  assert.match(await c.get("call-wrong").innerText(), /AppSecret/);
  await page.locator("[data-testid=exchange][data-code='400']").waitFor();
  await appSettings(c, { app_secret: settings.app_secret });
  await c.get("call-send").click();
  await page.locator("[data-testid=iot-token][data-state=good]").waitFor();
  // Nothing of it is kept in the browser.
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  for (const secret of [settings.app_secret, settings.iot_token]) assert.ok(!kept.includes(secret));
});
