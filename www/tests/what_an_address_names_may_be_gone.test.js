import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

/** What is asked of the clouds from now on. */
const asked = (page) => {
  const bodies = [];
  page.on("request", (request) => request.url().endsWith("/api/operate") && bodies.push(JSON.parse(request.postData() ?? "{}").action));
  return bodies;
};

behaviour("an address of a product that is not there shows the first one, and is not asked for without end", { view: "cloud/ucloud/devices?product=nobody" }, async (c) => {
  const { page } = c;
  await c.get("device-row").first().waitFor();
  assert.equal(await c.get("product-choice").inputValue(), PRODUCT.ucloud);
  const bodies = asked(page);
  await page.waitForTimeout(2_000);
  assert.ok(!bodies.includes("list_devices") && bodies.length < 6, `nothing is asked again and again: ${bodies.join()}`);
});

behaviour("a new product is shown at once, what was refused stays to be put right, and another world has its own products", { complaints: [/status of 4\d\d/], view: `cloud/ucloud/product?product=${PRODUCT.ucloud}` }, async (c) => {
  const { page } = c;
  await c.get("product").waitFor();
  await c.get("product-new").click();
  await c.get("product-id").fill(PRODUCT.ucloud);
  await c.get("product-name").fill("a second one");
  await c.get("product-create").click();
  await c.get("product-wrong").waitFor();
  assert.equal(await c.get("product-name").inputValue(), "a second one", "what was typed is still there");
  await c.get("product-id").fill("secondproduct1");
  await c.get("product-create").click();
  await c.get("product-dialog").waitFor({ state: "detached" });
  assert.equal(await c.get("did-text").innerText(), "secondproduct1 is created.");
  await page.locator("[data-testid=product]", { hasText: "secondproduct1" }).waitFor();
  assert.equal(await c.get("product-choice").inputValue(), "secondproduct1");
  assert.equal(new URL(page.url()).hash, "#/cloud/ucloud/product?product=secondproduct1");
  // The tab's clouds do not have it: theirs are shown.
  await c.get("world-tab").click();
  await page.locator("[data-testid=product]", { hasText: PRODUCT.ucloud }).waitFor();
  await c.get("part-devices").click();
  await c.get("device-row").first().waitFor();
});

behaviour("a device that is announced to apps is shown as such, until it is taken back", { view: `cloud/alibaba/devices?product=${PRODUCT.alibaba}` }, async (c) => {
  const button = c.get("announce");
  await c.get("device-open").first().click();
  await button.waitFor();
  assert.equal(await button.innerText(), "Announce to apps");
  await button.click();
  await c.page.getByText("Announce no more").waitFor();
  await c.get("undo").click();
  await c.page.locator("[data-testid=announce]", { hasText: "Announce to apps" }).waitFor();
});
