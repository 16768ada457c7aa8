import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { open, run } from "./support/bind.js";

const P = PRODUCT.alibaba;

behaviour("unknown, taken, disabled and unpublished devices each have their reason, and the vendor's code", {}, async (c) => {
  const { page, up } = c;
  await c.start("alibaba");
  await c.state("online");
  await open(c, "guide");
  await c.get("paste").click();
  await c.get("paste-text").fill([`${P}/example2`, `${P},example3`, `{"productKey":"${P}","deviceName":"nobody"}`, "https://example.com/?pk=nothing&dn=nobody", "neither"].join("\n"));
  await c.get("paste-add").click();
  assert.match(await c.get("paste-wrong").innerText(), /neither/);

  // Somebody else binds the device of this page.
  await c.get("account-owner").selectOption({ label: "Another owner…" });
  await c.get("confirm").locator("textarea").fill("bob");
  await c.get("confirm-ok").click();
  await page.waitForFunction(() => document.querySelector("[data-testid=account-owner]")?.value === "bob");
  await page.locator(`[data-testid=enrollee][data-name="${P}/example1"] input`).check();
  await c.get("guide-start").click();
  await run(c, "bound");
  await c.get("account-owner").selectOption("demo");
  await page.waitForFunction(() => document.querySelector("[data-testid=account-owner]")?.value === "demo");

  await up.operate("alibaba", "disable", { product: P, device: "example3", disabled: true });
  const verdicts = async () => {
    await page.locator("[data-testid=filter-ask]:not([disabled])").click();
    await page.locator("[data-testid=filter-ask]:not([disabled])").waitFor();
    return Object.fromEntries(await Promise.all((await c.get("enrollee").all()).map(async (row) => [await row.getAttribute("data-name"), await row.getAttribute("data-verdict")])));
  };
  assert.deepEqual(await verdicts(), { [`${P}/example1`]: "others", [`${P}/example2`]: "yes", [`${P}/example3`]: "disabled", [`${P}/nobody`]: "no_device", "nothing/nobody": "no_product" });
  const text = (name) => page.locator(`[data-testid=enrollee][data-name="${name}"]`).innerText();
  assert.match(await text(`${P}/example1`), /2066/);
  assert.match(await text(`${P}/example3`), /6204/);
  assert.match(await text(`${P}/nobody`), /6100/);
  assert.match(await text("nothing/nobody"), /5005/);

  // A bind of what the filter leaves out fails at the filter, with the next move.
  await page.locator(`[data-testid=enrollee][data-name="${P}/example1"] input`).check();
  await c.get("guide-start").click();
  await run(c, "failed");
  assert.match(await c.get("step-next").innerText(), /Can they be bound/);

  await up.operate("alibaba", "switch", { product: P, name: "published", value: "false" });
  assert.equal((await verdicts())[`${P}/example2`], "unpublished");
  await c.get("scope-all").check();
  assert.equal((await verdicts())[`${P}/example2`], "yes");
});

behaviour("the cloud's list is asked page by page", {}, async (c) => {
  const { page, up } = c;
  for (let i = 1; i <= 5; i += 1) await up.operate("alibaba", "switch", { product: P, name: `announce.example${i}`, value: "true" });
  await open(c, "guide");
  await c.get("list-size").selectOption("5");
  await page.locator("[data-testid=list-ask]:not([disabled])").click();
  await c.get("list-page").waitFor();
  assert.match(await c.get("list-page").innerText(), /page 1 of 1, 5 in all/);
  assert.equal(await c.get("enrollee").count(), 5);
  await up.operate("alibaba", "import_devices", { product: P, csv: "DeviceName\nexample6\nexample7\n" });
  for (const name of ["example6", "example7"]) await up.operate("alibaba", "switch", { product: P, name: `announce.${name}`, value: "true" });
  await page.locator("[data-testid=list-ask]:not([disabled])").click();
  await page.getByText("page 1 of 2, 7 in all").waitFor();
  await c.get("list-after").click();
  await page.getByText("page 2 of 2, 7 in all").waitFor();
  assert.equal(await c.get("enrollee").count(), 2);
});
