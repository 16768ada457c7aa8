import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PRODUCT, behaviour } from "./support/console.js";

/** An image whose size, version and digest are shown before and after. */
async function upload(c, page, version, size) {
  const folder = await mkdtemp(join(tmpdir(), "muster-image-"));
  const file = join(folder, "image.bin");
  await writeFile(file, randomBytes(size));
  await c.get("firmware-file", page).setInputFiles(file);
  const digest = await c.get("firmware-digest", page).innerText();
  await c.get("firmware-version", page).fill(version);
  await c.get("firmware-upload", page).click();
  const image = page.locator(`[data-testid=image][data-version="${version}"]`);
  await image.locator("summary").click();
  assert.ok((await image.innerText()).includes(digest), "the cloud has the very bytes");
  await rm(folder, { recursive: true });
}

const stage = (campaign, name) => campaign.getByTestId(`stage-${name}`);

behaviour("an update to all: who is there goes through its stages, who is away waits, and the rest is taken back", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("ucloud");
  await c.state("online");
  await page.evaluate((hash) => (location.hash = hash), `#/cloud/ucloud/firmware?product=${PRODUCT.ucloud}`);
  await upload(c, page, "2.0.0", 4_000_000);
  await c.get("push-to").selectOption("all");
  await c.get("push-send").click();
  const campaign = page.locator("[data-testid=campaign][data-version='2.0.0']");
  await campaign.waitFor();
  assert.match(await c.get("did-text").innerText(), /^5 devices are ordered/);

  // Four of the five were never there; the fifth is told, downloads and reports, and each is seen.
  const seen = new Set();
  await page.locator("[data-testid=stage-pending][data-count='4']").waitFor();
  for (const end = Date.now() + 60_000; Date.now() < end && (await campaign.getAttribute("data-done")) !== "1"; ) {
    for (const name of ["sent", "downloading", "upgrading"]) if (await stage(campaign, name).isVisible()) seen.add(name);
    // It may be gone by the time it is read.
    const [percent] = await campaign.getByTestId("campaign-percent").allInnerTexts();
    if (percent !== undefined && !/at 0 %/.test(percent)) seen.add("percent");
    await page.waitForTimeout(50);
  }
  assert.equal(await campaign.getAttribute("data-done"), "1");
  assert.ok(seen.has("downloading"), [...seen].join());
  assert.match(await campaign.getByTestId("campaign-progress").innerText(), /1 of 5/);

  // Behind the bars there is a table.
  await campaign.getByTestId("campaign-table").click();
  await page.locator("[data-testid=upgrade-row][data-state=succeeded]").waitFor();
  assert.equal(await page.locator("[data-testid=upgrade-row][data-state=pending]").count(), 4);
  await campaign.getByTestId("campaign-cancel").click();
  await page.locator("[data-testid=stage-cancelled][data-count='4']").waitFor();
  assert.equal(await campaign.getAttribute("data-open"), "0");
});

behaviour("failures are gathered by cause, told in words, and ordered again", {}, async (c) => {
  const { page } = c;
  await c.up.upload("ucloud", PRODUCT.ucloud, "2.0.0", randomBytes(10_000));
  await c.start("ucloud");
  await c.state("online");
  const operator = await c.open({ view: `cloud/ucloud/firmware?product=${PRODUCT.ucloud}` });
  // The image is not what was announced.
  await page.route("**/firmware/**", (route) => route.fulfill({ status: 200, body: Buffer.alloc(10_000) }));
  await c.context.route("**/firmware/**", (route) => (route.request().resourceType() === "document" ? route.fallback() : route.fulfill({ status: 200, body: Buffer.alloc(10_000) })));
  await c.get("push-to", operator).selectOption("online");
  await c.get("push-send", operator).click();
  const cause = operator.getByTestId("cause");
  await cause.waitFor();
  assert.match(await cause.innerText(), /-4.*the MD5 does not match.*112233445566/s);
  assert.equal(await operator.locator("[data-testid=stage-failed]").getAttribute("data-count"), "1");
  await c.context.unroute("**/firmware/**");
  await page.unroute("**/firmware/**");
  await c.get("campaign-retry", operator).click();
  await operator.locator("[data-testid=campaign][data-done='1']").waitFor();
  await cause.waitFor({ state: "detached" });
});
