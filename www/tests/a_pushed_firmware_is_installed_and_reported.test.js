import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PRODUCT, behaviour } from "./support/console.js";

/** Uploads an image in the Cloud view and orders the update there. */
async function push(c, page, platform, version) {
  const folder = await mkdtemp(join(tmpdir(), "muster-image-"));
  const image = join(folder, "image.bin");
  await writeFile(image, randomBytes(150_000));
  await page.goto(`${c.up.origin}/#/cloud/${platform}/firmware?product=${PRODUCT[platform]}`);
  await c.get("firmware-file", page).setInputFiles(image);
  await c.get("firmware-version", page).fill(version);
  await c.get("firmware-upload", page).click();
  await page.locator(`[data-testid=image][data-version="${version}"]`).waitFor();
  await c.get("push-version", page).selectOption(version);
  await c.get("push-send", page).click();
  await rm(folder, { recursive: true });
}

async function updated(c, from, to) {
  await c.page.locator("[data-testid=update][data-phase=reported]").waitFor();
  assert.equal(await c.get("version-before").innerText(), from);
  assert.equal(await c.get("version-after").innerText(), to);
}

for (const platform of ["ucloud", "krtyun", "alibaba"]) {
  behaviour(`${platform}: an operator's tab pushes an update to a device in another tab`, {}, async (c) => {
    await c.start(platform);
    await c.state("online");
    const operator = await c.open({ view: "cloud" });
    await push(c, operator, platform, "2.0.1");
    await operator.locator("[data-testid=campaign][data-version='2.0.1']").waitFor();
    await c.page.bringToFront();
    await updated(c, "1.0.0", "2.0.1");
    await c.state("online");
    const [upgrade] = (await c.up.operate(platform, "list_upgrades", { product: PRODUCT[platform] })).items;
    assert.equal(upgrade.state, "succeeded");
  });
}

behaviour("ucloud in the tab: the image never leaves the page", { world: "tab" }, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await c.get("rail-cloud").click();
  await push(c, c.page, "ucloud", "2.0.1");
  await c.get("rail-devices").click();
  await updated(c, "1.0.0", "2.0.1");
  assert.deepEqual((await c.up.operate("ucloud", "list_upgrades", { product: PRODUCT.ucloud })).items, []);
});
