import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PRODUCT, behaviour } from "./support/console.js";

behaviour("a registered device's credentials are previewed without the secret and downloaded in four forms", {}, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  const { items } = await c.up.operate("ucloud", "list_devices", { product: PRODUCT.ucloud, reveal: true, limit: 10 });
  const { secret } = items.find((item) => item.secret) ?? {};
  assert.ok(secret.length >= 8);
  await c.get("device-credentials").click();
  await c.get("handover-preview").waitFor();
  const files = {};
  for (const form of ["json", "header", "csv", "nvs"]) {
    await c.get(`handover-${form}`).click();
    await c.get(form === "nvs" ? "handover-places" : "handover-preview").waitFor();
    assert.ok(!(await c.get("handover").innerText()).includes(secret), `${form} is shown without the secret`);
    const [download] = await Promise.all([c.page.waitForEvent("download"), c.get("handover-download").click()]);
    files[form] = { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  }
  assert.equal(JSON.parse(files.json.bytes.toString()).device_secret, secret);
  assert.match(files.header.bytes.toString(), new RegExp(`#define MUSTER_DEVICE_SECRET "${secret}"`));
  assert.match(files.csv.bytes.toString(), new RegExp(`device_secret,data,string,${secret}\\n`));
  assert.equal(files.nvs.bytes.length, 0x6000);
  assert.ok(files.nvs.bytes.includes(`${secret}\0`));
  assert.ok(files.nvs.name.endsWith(".bin"), files.nvs.name);

  await c.get("handover-size").fill("5000");
  await c.get("handover-refusal").waitFor();
  assert.match(await c.get("handover-refusal").innerText(), /4096/);
  await c.get("handover-size").fill("0x3000");
  await c.get("handover-places").waitFor();

  await c.get("handover-json").click();
  await c.get("handover-preview").waitFor();
  await c.get("handover-show").click();
  assert.ok((await c.get("handover-preview").innerText()).includes(secret), "shown when a person asks");
});
