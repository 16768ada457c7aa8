import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PRODUCT, behaviour } from "./support/console.js";

const json = (name, value) => ({ name, mimeType: "application/json", buffer: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)) });

behaviour("a device's settings are saved under a name, exported without secrets, and imported with a preview", {}, async (c) => {
  const { page } = c;
  await c.start("ucloud");
  await c.state("online");
  const product = (await c.up.operate("ucloud", "list_products", { reveal: true })).items.find((item) => item.id === PRODUCT.ucloud);
  await c.get("device-share").click();
  await c.get("share-name").fill("样机 A");
  assert.match(await c.get("share-out").innerText(), /product_secret/);
  await c.get("share-save").click();
  await c.get("notice").waitFor();
  await c.get("new-device").click();
  await c.get("profiles").click();
  assert.equal(await c.get("profile-row").getAttribute("data-name"), "样机 A");
  const [download] = await Promise.all([page.waitForEvent("download"), c.get("profiles-export").click()]);
  const text = await readFile(await download.path(), "utf8");
  assert.ok(!text.includes(product.secret), "no secret is in the file");
  const file = JSON.parse(text);
  assert.deepEqual([file.format, file.version, file.secrets], ["muster-profiles", 1, false]);
  assert.deepEqual(file.profiles[0].missing, ["product_secret"]);

  await c.get("profile-remove").click();
  await c.get("profiles-close").click();
  // Changed by hand: one as it was, one with a fault, one with something unknown.
  file.profiles.push({ ...file.profiles[0], name: "B", settings: { ...file.profiles[0].settings, keep_alive: "7" } });
  file.profiles.push({ ...file.profiles[0], name: "C", settings: { ...file.profiles[0].settings, device_sn: "112233445569", colour: "red" } });
  await c.get("open-recording").setInputFiles(json("profiles.json", file));
  await c.get("incoming").waitFor();
  const item = (name) => page.locator(`[data-testid=incoming-item][data-name="${name}"]`);
  assert.equal(await item("样机 A").getAttribute("data-state"), "add");
  assert.match(await item("B").getByTestId("incoming-wrong").innerText(), /keep_alive is out of range/);
  assert.match(await item("C").getByTestId("incoming-unknown").innerText(), /settings\.colour/);
  await c.get("incoming-save").click();
  await c.get("profiles").click();
  assert.deepEqual(await c.get("profile-row").evaluateAll((rows) => rows.map((row) => row.dataset["name"])), ["样机 A", "C"]);

  await page.locator('[data-testid=profile-row][data-name="C"]').getByTestId("profile-use").click();
  await c.state("off");
  await c.get("restart").click();
  await c.state("online");
  assert.equal((await c.up.device("ucloud", PRODUCT.ucloud, "112233445569")).state, "online");
});

behaviour("a file that cannot be read says what is wrong with it", {}, async (c) => {
  await c.get("start-ucloud").waitFor();
  const cases = [
    ["x.json", "{", /neither JSON/],
    ["x.json", { a: 1 }, /none of the console's files/],
    ["x.json", { format: "muster-profiles", version: 2, profiles: [] }, /version 2/],
    ["x.json", { format: "muster-profiles", version: 1 }, /does not/],
    ["x.toml", "broker == 1", /neither JSON/],
  ];
  for (const [name, value, text] of cases) {
    await c.get("open-recording").setInputFiles(json(name, value));
    assert.match(await c.get("incoming-refused").innerText(), text);
    await c.get("incoming-close").click();
    await c.get("incoming").waitFor({ state: "detached" });
  }
  await c.get("open-recording").setInputFiles(json("mine.toml", 'platform = "krtyun"\nbroker = "wss://h.example"\nproduct_id = "p"\ndevice_id = "d"\n"register.match_id" = false\n[tls]\nca = "x.pem"\n'));
  assert.match(await c.get("incoming-unknown").innerText(), /\[tls\]/);
  assert.equal(await c.get("incoming-host").innerText(), "h.example");
});
