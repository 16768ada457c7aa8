import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

const DEVICE = { ucloud: "112233445566", cmcc: "111234560000011", krtyun: "10001", alibaba: "example1" };
const RULE = { ucloud: /logged in with its own password once/, cmcc: /given the same answer each time/, krtyun: /issues a secret once/, alibaba: /last one counts/ };

for (const platform of ["ucloud", "cmcc", "krtyun", "alibaba"]) {
  behaviour(`${platform}: whether it is in the field, the rule, what is void; and nothing happens without the name`, {}, async (c) => {
    const { page } = c;
    await c.start(platform);
    await c.state("online");
    const before = await c.up.device(platform, PRODUCT[platform], DEVICE[platform]);
    await page.goto(`${c.up.origin}/#/cloud/${platform}/devices?product=${PRODUCT[platform]}&device=${DEVICE[platform]}&focus=reset`);
    const pane = c.get("device-more");
    await pane.waitFor();
    assert.equal(await pane.getAttribute("data-name"), DEVICE[platform]);

    await c.get("reset").click();
    await c.get("danger").waitFor();
    assert.equal(await c.get("danger-field").getAttribute("data-used"), "true");
    assert.match(await c.get("danger-rule").innerText(), RULE[platform]);
    assert.doesNotMatch(await c.get("danger-effects").innerText(), /void at once/);
    await c.get("danger-fresh").check();
    assert.match(await c.get("danger-effects").innerText(), /void at once/);

    // Not without the name, and not with another one.
    await c.get("danger-ok").click();
    await c.get("danger-wrong").waitFor();
    await c.get("danger-name").fill(`${DEVICE[platform]}0`);
    await c.get("danger-name").press("Enter");
    await c.get("danger-wrong").waitFor();
    const unchanged = await c.up.device(platform, PRODUCT[platform], DEVICE[platform]);
    assert.equal(unchanged.secret, before.secret);
    await c.get("danger-name").fill(DEVICE[platform]);
    await c.get("danger-ok").click();
    await c.get("did").waitFor();
    const after = await c.up.device(platform, PRODUCT[platform], DEVICE[platform]);
    assert.notEqual(after.secret, before.secret);
    // There is no way back, and none is offered.
    assert.equal(await c.get("undo").count(), 0);
  });
}

behaviour("a device that was never there is said to be nobody's loss; its whitelist entry goes after a plain question", { view: `cloud/ucloud/devices?product=${PRODUCT.ucloud}` }, async (c) => {
  const { page } = c;
  await page.locator("[data-testid=device-row][data-name='112233445570']").getByTestId("device-open").click();
  await c.get("reset").click();
  assert.equal(await c.get("danger-field").getAttribute("data-used"), "false");
  await page.keyboard.press("Escape");
  await c.get("danger").waitFor({ state: "detached" });
  await c.get("delete").click();
  await c.get("confirm-ok").click();
  await page.locator("[data-testid=device-row][data-name='112233445570']").waitFor({ state: "detached" });
});
