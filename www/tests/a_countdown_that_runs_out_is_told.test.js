import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { appSettings, left, listen, open, run, steps } from "./support/bind.js";

behaviour("a token that runs out is told, and the bind asks the device for another", { world: "tab" }, async (c) => {
  await c.startWith("alibaba", { settings: { bind_token_life_s: "6" } });
  await c.state("online");
  await open(c, "guide");
  const said = await listen(c);
  await c.get("guide-new-token").click();
  await left(c, "token-left", "running");
  const token = async () => /stands by ([0-9A-F]{8})… for another \d+\s+s/.exec(await c.get("token-left").innerText())?.[1];
  const before = await token();
  assert.ok(before);
  await left(c, "token-left", "over");
  assert.match(await c.get("token-left").innerText(), /run out/);
  assert.match(await said(), /token has run out/);
  await c.get("guide-start").click();
  await run(c, "bound");
  const checked = c.page.locator("[data-testid=bind-step][data-step=bind] [data-testid=exchange]");
  await checked.locator("summary").click();
  await checked.getByTestId("exchange-request").click();
  const sent = /"token": "([0-9A-F]{8})/.exec(await checked.innerText())?.[1];
  assert.ok(sent);
  assert.notEqual(sent, before, "bound by a token that the device stands by, and not by the old one");
});

behaviour("a time window that has closed is told; after another power-on the bind goes on at the step that failed", {}, async (c) => {
  await c.up.operate("alibaba", "switch", { name: "window_seconds", value: "5" });
  await c.start("alibaba");
  await c.state("online");
  await open(c, "guide");
  await c.get("by-window").click();
  await left(c, "window-left", "over");
  assert.match(await c.get("window-left").innerText(), /closed/);
  await appSettings(c, { deadline_seconds: "3", poll_seconds: "1" });
  await c.get("guide-start").click();
  await run(c, "failed");
  assert.deepEqual(await steps(c), [["filter", "done"], ["bind", "failed"]]);
  assert.match(await c.get("step-next").innerText(), /Power the device on/);
  const failed = c.page.locator("[data-testid=bind-step][data-step=bind]");
  assert.equal(await failed.locator("[data-testid=exchange]").last().getAttribute("data-code"), "6608");

  await c.up.operate("alibaba", "switch", { name: "window_seconds", value: "600" });
  await c.get("power-on").click();
  await left(c, "window-left", "running");
  assert.equal(await c.get("guide-resume").getAttribute("data-step"), "bind");
  await c.get("guide-resume").click();
  await run(c, "bound");
  // The filter was not asked again.
  assert.equal(await c.page.locator("[data-testid=bind-step][data-step=filter] [data-testid=exchange]").count(), 1);
});

behaviour("a bind that waits for a token can be stopped, and goes on when the device is there", { world: "tab" }, async (c) => {
  await open(c, "guide");
  await c.get("paste").click();
  await c.get("paste-text").fill(`${PRODUCT.alibaba}/example1`);
  await c.get("paste-add").click();
  await c.get("guide-start").click();
  await c.get("run-waiting").waitFor();
  // This page hears nothing of a device that is elsewhere: a person does.
  await c.get("run-token").fill("00112233445566778899AABBCCDDEEFF");
  await c.get("run-token-send").click();
  await c.page.locator("[data-testid=bind-step][data-step=token] [data-testid=exchange][data-code='6608']").first().waitFor();
  await c.get("guide-stop").click();
  await run(c, "stopped");
  assert.deepEqual(await steps(c), [["filter", "done"], ["token", "stopped"], ["bind", "todo"]]);
  await c.get("rail-devices").click();
  await c.start("alibaba");
  await c.state("online");
  await open(c, "guide");
  await left(c, "token-left", "running");
  assert.equal(await c.get("guide-resume").getAttribute("data-step"), "token");
  await c.get("guide-resume").click();
  await run(c, "bound");
});
