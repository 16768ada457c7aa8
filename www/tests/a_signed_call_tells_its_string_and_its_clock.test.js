import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("a login, a registration and an owner's call tell what was signed, and by which clock", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("alibaba");
  await c.state("online");
  const look = async (row) => {
    await row.locator("button").click();
    await c.get("detail-tab-sign").click();
    const clock = await c.get("signed").getAttribute("data-clock");
    return { clock, text: await page.locator("m-detail .lines").innerText(), facts: await c.get("signed").innerText() };
  };

  const registration = await look(c.entries("http", "POST").first());
  assert.equal(registration.clock, "none");
  assert.match(registration.text, /deviceName\S+productKey\S+random[0-9a-f]+/);
  assert.match(registration.facts, /ProductSecret/);

  const login = await look(c.entries("mqtt", "CONNECT").last());
  assert.equal(login.clock, "wall");
  assert.match(login.text, /^\s*clientId\S+deviceName\S+productKey\S+timestamp\d{13}$/);
  assert.match(login.facts, /DeviceSecret/);

  await c.get("detail-close").click();
  await c.get("owner").locator("summary").first().click();
  await c.get("bind-token").click();
  await page.locator("[data-testid=owner-state][data-state=bound]").waitFor();
  const call = await look(page.locator("[data-testid=entry][data-kind=http][data-side=app][data-type=POST]").last());
  assert.equal(call.clock, "wall");
  assert.match(call.facts, /AppSecret/);
  assert.match(call.facts, /X-Ca-Timestamp/);
  assert.match(call.text, /\/awss\/token\/user\/bind$/);
});
