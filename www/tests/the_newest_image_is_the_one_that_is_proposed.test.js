import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

behaviour("the highest version is proposed, whatever the order in which the cloud lists its images, and the list shows what is ordered", { view: `cloud/ucloud/firmware?product=${PRODUCT.ucloud}` }, async (c) => {
  const { page } = c;
  const image = (version) => page.locator(`[data-testid=image][data-version="${version}"]`);
  const upload = async (version) => {
    await c.get("firmware-file").setInputFiles({ name: `${version}.bin`, mimeType: "application/octet-stream", buffer: Buffer.from(`image ${version}`) });
    await c.get("firmware-version").fill(version);
    await c.get("firmware-upload").click();
    await image(version).waitFor();
  };
  const chosen = () => c.get("push-version").evaluate((select) => select.value);
  await upload("1.9.0");
  await upload("1.10.0");
  await page.reload();
  await image("1.10.0").waitFor();
  assert.deepEqual(await c.get("image").evaluateAll((items) => items.map((item) => item.dataset["version"])), ["1.10.0", "1.9.0"]);
  assert.equal(await chosen(), "1.10.0");
  assert.equal(await c.get("firmware-version").inputValue(), "1.10.1");
  // What was picked by hand stands further down once there is another one.
  await c.get("push-version").selectOption("1.9.0");
  await c.get("push-version").selectOption("1.10.0");
  await upload("1.11.0");
  await page.waitForFunction(() => document.querySelector("[data-testid=push-version]")?.value === "1.11.0");
  await c.get("push-send").click();
  await page.locator('[data-testid=campaign][data-version="1.11.0"]').waitFor();
});
