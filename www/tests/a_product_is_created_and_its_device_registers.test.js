import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";

const FRESH = { name: "Proof", id: "proofproduct01", secret: "proofsecret00001" };

behaviour("a product is created as it was asked for, and a device registers with its secret", { view: "cloud/ucloud/product", complaints: [/409 \(Conflict\).*\/api\/operate/] }, async (c) => {
  const { page } = c;
  const create = async ({ name = "", id = "", secret = "", dynamic = true }) => {
    await c.get("product-new").click();
    await c.get("product-dialog").waitFor();
    await c.get("product-name").fill(name);
    await c.get("product-id").fill(id);
    await c.get("product-secret").fill(secret);
    await c.get("product-dynamic").setChecked(dynamic);
    await c.get("product-create").click();
  };
  const closed = () => c.get("product-dialog").waitFor({ state: "detached" });
  const products = async () => (await c.up.operate("ucloud", "list_products", { reveal: true })).items;

  // Thought better of: nothing is made.
  await c.get("product-new").click();
  await c.get("product-id").fill(FRESH.id);
  await c.get("product-cancel").click();
  await c.get("product-dialog").waitFor({ state: "detached" });
  assert.equal((await products()).length, 1);

  await create(FRESH);
  await closed();
  await page.locator("[data-testid=did-text]", { hasText: `${FRESH.id} is created` }).waitFor();
  assert.equal(await c.get("undo").count(), 0, "there is no way back, and none is offered");
  assert.equal(await c.get("product-choice").inputValue(), FRESH.id);
  const shown = await c.get("product").innerText();
  assert.ok(shown.includes(FRESH.id) && shown.includes(FRESH.name) && !shown.includes(FRESH.secret));
  assert.equal(await c.get("switch-DynamicRegister").getAttribute("aria-checked"), "true");
  await c.get("product").getByTestId("reveal").click();
  assert.equal(await c.get("product").getByTestId("secret").innerText(), FRESH.secret);

  // The same once more is refused, in words, where it was typed; the one that is there is as it was.
  await create({ ...FRESH, secret: "another00secret1" });
  assert.match(await c.get("product-wrong").innerText(), /there is a product with this ProductSN/);
  assert.equal(await c.get("product-id").inputValue(), FRESH.id);
  await c.get("product-cancel").click();
  await closed();
  assert.equal((await products()).find(({ id }) => id === FRESH.id).secret, FRESH.secret);

  // What is left empty is made up, and without the tick the door is shut.
  const before = new Set((await products()).map(({ id }) => id));
  await create({ dynamic: false });
  await closed();
  await page.locator("[data-testid=switch-DynamicRegister][aria-checked=false]").waitFor();
  const made = (await products()).find(({ id }) => !before.has(id));
  assert.equal(await c.get("product-choice").inputValue(), made.id);
  assert.match(made.id, /^[A-Za-z0-9]{16}$/);
  assert.match(made.secret, /^[A-Za-z0-9]{16}$/);

  // A device of the first one: imported, started, registered.
  await page.evaluate((hash) => (location.hash = hash), `#/cloud/ucloud/whitelist?product=${FRESH.id}`);
  await c.get("import-file").setInputFiles({ name: "numbers.csv", mimeType: "text/csv", buffer: Buffer.from("device_sn\nproof-0001\n") });
  await page.locator("[data-testid=import-preview][data-fresh='1'][data-wrong='0']").waitFor();
  await c.get("import-send").click();
  await page.locator("[data-testid=list-row][data-name='proof-0001']").waitFor();
  await c.get("rail-devices").click();
  await c.startWith("ucloud", { settings: { product_sn: FRESH.id, product_secret: FRESH.secret, device_sn: "proof-0001" } });
  await c.state("online");
  assert.equal((await c.up.device("ucloud", FRESH.id, "proof-0001")).state, "online");
});

behaviour("a setting of a product takes a value, refuses a wrong one in words, and is turned back", { view: `cloud/alibaba/product?product=${PRODUCT.alibaba}`, complaints: [/400 \(Bad Request\).*\/api\/operate/] }, async (c) => {
  const { page } = c;
  const value = async () => (await c.up.operate("alibaba", "list_products", {})).items.find(({ id }) => id === PRODUCT.alibaba).switches.otaSignMethod;
  assert.equal(await value(), "SHA256");
  const set = async (text) => {
    await c.get("value-otaSignMethod").fill(text);
    await c.get("value-otaSignMethod").press("Enter");
  };
  await set("Md5");
  await page.locator("[data-testid=did-text]", { hasText: "otaSignMethod = Md5" }).waitFor();
  assert.equal(await value(), "Md5");
  await c.get("undo").click();
  await page.locator("[data-testid=did-text]", { hasText: "otaSignMethod = SHA256" }).waitFor();
  assert.equal(await value(), "SHA256");
  await set("crc");
  assert.notEqual((await c.get("cloud-error").innerText()).trim(), "");
  assert.equal(await value(), "SHA256");
});
