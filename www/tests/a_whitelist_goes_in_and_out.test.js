import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PRODUCT, behaviour } from "./support/console.js";

const text = async (download) => readFile(await (await download).path(), "utf8");

behaviour("numbers are looked over line by line before they are sent, and what was imported can be taken back", { view: `cloud/ucloud/whitelist?product=${PRODUCT.ucloud}` }, async (c) => {
  const { page } = c;
  const count = (testid) => c.get(testid).innerText();
  await page.locator("[data-testid=listed-count]", { hasText: "5" }).waitFor();
  await c.get("import-text").fill("DeviceSN,device_secret\nAABBCC0001,\nA!,\n112233445566,\nAABBCC0001,\nAABBCC0002,given0000secret1\n");
  const preview = c.get("import-preview");
  assert.deepEqual(await preview.evaluate((element) => ({ ...element.dataset })), { testid: "import-preview", fresh: "2", known: "1", wrong: "2" });
  const lines = await c.get("import-line").evaluateAll((rows) => rows.map((row) => [row.dataset["key"], row.dataset["state"]]));
  assert.deepEqual(lines, [["3", "wrong"], ["5", "wrong"], ["2", "fresh"], ["4", "known"], ["6", "fresh"]], "what is wrong comes first");
  await c.get("import-send").click();
  await page.locator("[data-testid=listed-count]", { hasText: "7" }).waitFor();
  assert.match(await c.get("did-text").innerText(), /2 added, 2 were there already/);
  assert.match(await c.get("import-refused").innerText(), /Line 3/);
  assert.equal((await c.up.device("ucloud", PRODUCT.ucloud, "AABBCC0002")).secret, "given0000secret1");

  // Out: without secrets at once, with them after a warning; and what goes out can go in.
  let download = page.waitForEvent("download");
  await c.get("list-export").click();
  const plain = await text(download);
  assert.match(plain, /^device_sn\n112233445566\n/);
  assert.ok(plain.includes("AABBCC0002\n"));
  download = page.waitForEvent("download");
  await c.get("list-export-secrets").click();
  await c.get("confirm-ok").click();
  const whole = await text(download);
  assert.match(whole, /^device_sn,device_secret\n/);
  assert.ok(whole.includes("AABBCC0002,given0000secret1\n"));

  await c.get("undo").click();
  await page.locator("[data-testid=listed-count]", { hasText: "5" }).waitFor();
  await c.get("import-text").fill(whole);
  assert.equal(await preview.getAttribute("data-fresh"), "2");
  await c.get("import-send").click();
  await page.locator("[data-testid=listed-count]", { hasText: "7" }).waitFor();
  assert.equal((await c.up.device("ucloud", PRODUCT.ucloud, "AABBCC0002")).secret, "given0000secret1", "it is the same device again");
  assert.equal(await count("used-count"), "0");
});

behaviour("used and unused are told apart, and an unused one is removed", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("cmcc");
  await c.state("online");
  await page.evaluate((hash) => (location.hash = hash), `#/cloud/cmcc/whitelist?product=${PRODUCT.cmcc}`);
  await page.locator("[data-testid=used-count]", { hasText: "1" }).waitFor();
  assert.equal(await c.get("unused-count").innerText(), "5");
  assert.equal(await page.locator("[data-testid=list-row][data-state=used]").getAttribute("data-name"), "111234560000011");
  await c.get("list-unused").click();
  const row = page.locator("[data-testid=list-row][data-name='MUSTER-SN-0002']");
  await row.getByTestId("list-remove").click();
  await c.get("confirm-ok").click();
  await row.waitFor({ state: "detached" });
  assert.equal(await c.get("unused-count").innerText(), "4");
});

behaviour("a column that the platform does not know is named", { view: `cloud/alibaba/whitelist?product=${PRODUCT.alibaba}` }, async (c) => {
  await c.get("import-text").fill("DeviceName,colour\nexample9,red\n");
  assert.match(await c.get("import-unknown").innerText(), /colour/);
  assert.equal(await c.get("import-send").isDisabled(), true);
});
