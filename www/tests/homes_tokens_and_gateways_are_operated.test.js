import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

const GATEWAY = "a1mustergw1/gateway1";

for (const world of ["local", "tab"]) {
  behaviour(`${world}: a sub-device is put under a gateway and taken away, each with a way back; joining counts down`, { world, view: "cloud/alibaba/topology", complaints: [/404 \(Not Found\).*\/api\/operate/] }, async (c) => {
    const { page } = c;
    const gateway = page.locator(`[data-testid=gateway][data-name='${GATEWAY}']`);
    await gateway.waitFor();
    const sub = page.locator("[data-testid=sub-device][data-name='a1muster001/example2']");
    await c.get("sub-product").selectOption(PRODUCT.alibaba);
    await c.get("sub-name").fill("example2");
    await c.get("sub-add").click();
    await sub.waitFor();
    await c.get("undo").click();
    await sub.waitFor({ state: "detached" });
    await c.get("sub-name").fill("example2");
    await c.get("sub-add").click();
    await sub.getByTestId("sub-remove").click();
    await sub.waitFor({ state: "detached" });
    await c.get("undo").click();
    await sub.waitFor();

    // A device that is not there is refused in words.
    await c.get("sub-name").fill("nobody");
    await c.get("sub-add").click();
    assert.match(await c.get("cloud-error").innerText(), /no such device/);

    await c.get("permit-seconds").fill("90");
    await c.get("permit-open").click();
    const permit = page.locator("[data-testid=permit][data-open=true]");
    await permit.waitFor();
    const left = async () => Number(/(\d+)\u00a0s/.exec(await permit.innerText())?.[1]);
    const first = await left();
    assert.ok(first > 60 && first <= 90, String(first));
    await page.waitForFunction((before) => Number(/(\d+)\u00a0s/.exec(document.querySelector("[data-testid=permit]")?.textContent ?? "")?.[1]) < before - 3, first);
    await c.get("permit-close").click();
    await page.locator("[data-testid=permit][data-open=false]").waitFor();
    await c.get("undo").click();
    await permit.waitFor();
    assert.ok((await left()) <= first - 2, "what was left of the time, and not all of it anew");
  });
}

behaviour("a device that waits for an owner shows its token on request; bound, it is in the home", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("alibaba");
  await c.state("online");
  await page.evaluate((hash) => (location.hash = hash), "#/cloud/alibaba/homes");
  const waiting = page.locator("[data-testid=waiting][data-name='a1muster001/example1']");
  await waiting.waitFor();
  assert.match(await waiting.getByTestId("token-left").innerText(), /good for \d+\u00a0(min|s)/);
  assert.equal(await waiting.getByTestId("secret").count(), 0);
  await waiting.getByTestId("reveal").click();
  assert.match(await waiting.getByTestId("secret").innerText(), /^[0-9A-F]{32}$/);
  await waiting.getByTestId("reveal").click();
  await waiting.getByTestId("secret").waitFor({ state: "detached" });
  const owner = page.locator("[data-testid=owner-row][data-name=demo]");
  assert.match(await owner.innerText(), /iotToken[\s\S]*good for/);

  await c.get("rail-devices").click();
  await c.get("owner").locator("summary").click();
  await c.get("bind-token").click();
  await page.locator("[data-testid=owner-state][data-state=bound]").waitFor();
  await page.evaluate((hash) => (location.hash = hash), "#/cloud/alibaba/homes");
  await page.locator("[data-testid=bound-device]", { hasText: "a1muster001/example1" }).waitFor();
  await waiting.waitFor({ state: "detached" });
});

behaviour("another owner gets a home; one that is there already is asked about first", { view: "cloud/alibaba/homes" }, async (c) => {
  const { page } = c;
  await c.get("owner-identity").fill("alice");
  await c.get("owner-create").click();
  await page.locator("[data-testid=owner-row][data-name=alice]").waitFor();
  assert.equal(await c.get("home").count(), 2);
  const token = async () => (await c.up.operate("alibaba", "list_owners", { reveal: true })).items.find(({ identity }) => identity === "alice").iot_token;
  const before = await token();
  await c.get("owner-identity").fill("alice");
  await c.get("owner-create").click();
  await c.get("confirm-cancel").click();
  assert.equal(await token(), before);
  await c.get("owner-create").click();
  await c.get("confirm-ok").click();
  await page.locator("[data-testid=did]").waitFor();
  assert.notEqual(await token(), before);
});
