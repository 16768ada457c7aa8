import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";

behaviour("a page's devices with their timelines and profiles come in at another page, off, and go on", {}, async (c) => {
  const { page } = c;
  for (const platform of PLATFORMS) {
    await c.start(platform);
    await c.state("online");
    if (platform === "alibaba") break;
    await c.get("new-device").click();
  }
  await c.get("device-share").click();
  await c.get("share-save").click();
  const rows = () => page.locator("[data-testid=entry], [data-testid=phase]").count();
  const secrets = [];
  for (const platform of PLATFORMS) {
    const products = (await c.up.operate(platform, "list_products", { reveal: true })).items;
    const devices = (await c.up.operate(platform, "list_devices", { product: PRODUCT[platform], reveal: true, limit: 100 })).items;
    secrets.push(...[...products, ...devices].map((item) => item.secret).filter(Boolean));
  }
  const save = async (to = page) => {
    const [download] = await Promise.all([to.waitForEvent("download"), c.get("page-download", to).click()]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  };
  await c.get("page-save").click();
  const bare = await save();
  for (const secret of secrets) assert.ok(!bare.text.includes(secret), "a secret is in the file");
  const file = JSON.parse(bare.text);
  assert.deepEqual([file.format, file.version, file.secrets, file.devices.length, file.profiles.length], ["muster-page", 1, false, 4, 1]);

  await c.get("page-save").click();
  await c.get("page-secrets").check();
  const full = await save();
  assert.match(full.name, /with-secrets/);
  assert.equal(JSON.parse(full.text).secrets, true);
  for (const platform of ["ucloud", "krtyun", "alibaba"]) {
    const [product] = (await c.up.operate(platform, "list_products", { reveal: true })).items.filter((item) => item.id === PRODUCT[platform]);
    assert.ok(full.text.includes(product.secret), "secrets are there where they were asked for");
  }
  await c.get("page-save").click();
  await c.get("page-form-profiles").click();
  assert.equal(JSON.parse((await save()).text).format, "muster-profiles");

  // Elsewhere: nothing runs, and each goes on below its old timeline.
  const count = await rows();
  const other = await c.browser.newContext({ locale: "en-GB" });
  const there = await other.newPage();
  c.listen(there);
  await there.goto(`${c.up.origin}/`);
  const logged = (await c.up.log("alibaba")).length;
  await c.get("open-recording", there).setInputFiles({ name: bare.name, mimeType: "application/json", buffer: Buffer.from(bare.text) });
  await c.get("incoming", there).waitFor();
  assert.equal(await c.get("incoming-item", there).count(), 5);
  assert.equal(await c.get("device-item", there).count(), 0, "nothing before it is agreed to");
  await c.get("incoming-add", there).click();
  await c.state("off", there);
  assert.equal(await c.get("device-item", there).count(), 4);
  assert.ok((await c.up.log("alibaba")).slice(logged).every((line) => line.what !== "connect" && line.what !== "registered"), "no device came");
  assert.equal(await there.locator("[data-testid=entry], [data-testid=phase]").count(), count, "its timeline came along");
  await there.close();
  await other.close();
});

behaviour("a file with secrets says so, keeps them out of the saved profiles, and gives them to the devices", {}, async (c) => {
  const { page } = c;
  const { settings } = (await c.up.get("/api/demo"))["ucloud"];
  const { broker: _, ...own } = settings;
  const file = { format: "muster-profiles", version: 1, secrets: true, profiles: [{ name: "With", platform: "ucloud", world: "local", storage: "memory", settings: own, missing: [] }] };
  const open = async () => {
    await c.get("open-recording").setInputFiles({ name: "s.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(file)) });
    await c.get("incoming").waitFor();
  };
  await open();
  assert.match(await c.get("incoming-secrets").innerText(), /product_secret/);
  assert.ok(!(await c.get("incoming").innerText()).includes(settings.product_secret), "it is not shown");
  await c.get("incoming-save").click();
  assert.ok(!(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).includes(settings.product_secret));
  await open();
  await c.get("incoming-add").click();
  await c.state("off");
  await c.get("restart").click();
  await c.state("online");
});
