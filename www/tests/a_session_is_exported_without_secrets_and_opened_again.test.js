import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PRODUCT, behaviour } from "./support/console.js";

behaviour("the file and the report hold no secret, and the file opens as the timeline that it was", {}, async (c) => {
  const { page } = c;
  await c.start("ucloud");
  await c.state("online");
  const device = (await c.up.operate("ucloud", "list_devices", { product: PRODUCT.ucloud, reveal: true, limit: 100 })).items.find((item) => item.secret !== null && item.state === "online");
  const product = (await c.up.operate("ucloud", "list_products", { reveal: true })).items.find((item) => item.id === PRODUCT.ucloud);
  assert.ok(device?.secret?.length > 3 && product?.secret?.length > 3, "the clouds know the secrets that are looked for");

  const save = async (button) => {
    const [download] = await Promise.all([page.waitForEvent("download"), c.get(button).click()]);
    return { path: await download.path(), text: await readFile(await download.path(), "utf8"), name: download.suggestedFilename() };
  };
  const rows = () => page.locator("[data-testid=entry], [data-testid=phase]").evaluateAll((found) => found.map((row) => [row.dataset["kind"], row.dataset["type"], row.dataset["phase"], row.dataset["seq"]].join(" ")));
  const before = await rows();
  await c.get("export").click();
  await c.get("export-dialog").waitFor();
  const json = await save("export-json");
  const report = await save("export-report");
  for (const { text, name } of [json, report]) for (const secret of [device.secret, product.secret]) assert.ok(!text.includes(secret), `${name} holds a secret`);
  assert.equal(JSON.parse(json.text).device.settings.product_sn, PRODUCT.ucloud);
  assert.match(report.text, /^# Muster session: UCloud/);

  await c.get("export-names").check();
  const unnamed = await save("export-report");
  assert.ok(!unnamed.text.includes(device.name) && !unnamed.text.includes(PRODUCT.ucloud), "nobody is named");
  assert.equal((await c.get("report").innerText()).trimEnd(), unnamed.text.trimEnd(), "what is shown is what is written");
  await c.get("export-close").click();

  await c.get("new-device").click();
  await c.get("open-recording").setInputFiles(json.path);
  await c.get("recording").waitFor();
  assert.deepEqual(await rows(), before);
  assert.equal(await c.get("restart").count(), 0, "nothing of it runs");

  await c.get("new-device").click();
  await c.get("open-recording").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from('{"format":"muster-session","version":9}') });
  assert.match(await c.get("incoming-refused").innerText(), /version 9/);
});
