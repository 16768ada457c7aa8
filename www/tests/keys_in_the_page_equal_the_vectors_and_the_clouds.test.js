import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { behaviour } from "./support/console.js";
import { ROOT } from "./support/up.js";
import { open } from "./support/bind.js";

const vectors = JSON.parse(await readFile(join(ROOT, "tests/vectors/alibaba.json"), "utf8"));

behaviour("each key of the vectors is computed in the page and by the cloud's call, and both are that key", { timeout: 240_000 }, async (c) => {
  const { up, page } = c;
  // A product and a device with each of the vectors' secrets.
  const places = new Map();
  for (const { secret, secret_kind: kind } of vectors.cipher) {
    if (places.has(secret)) continue;
    const product = `a1vector${places.size}`;
    const productSecret = kind === "productSecret" ? secret : "0123456789abcdef";
    await up.operate("alibaba", "create_product", { name: product, id: product, secret: productSecret, switches: {} });
    await up.operate("alibaba", "import_devices", { product, csv: `DeviceName,DeviceSecret\nexample1,${kind === "deviceSecret" ? secret : "fedcba9876543210"}\n` });
    places.set(secret, product);
  }
  await open(c, "keys");
  await page.locator("[data-testid=key-take-secret]").waitFor();
  const value = async (name) => {
    const line = page.locator(`[data-testid=key-value][data-name="${name}"] code`);
    return line.allInnerTexts();
  };
  const compute = async ({ type, secret, random, mac, password = "" }) => {
    const product = places.get(secret);
    await c.get("key-type").selectOption(String(type));
    await c.get("key-product_key").fill(product);
    await c.get("key-device_name").fill("example1");
    if (type > 5) {
      await c.get("key-product_id").fill(Buffer.from(product).toString("hex"));
      await c.get("key-mac").fill(mac);
    }
    await c.get("key-random").fill(random);
    await c.get("key-take-secret").click();
    await page.waitForFunction((wanted) => document.querySelector("[data-testid=key-secret]")?.value === wanted, secret);
    await c.get("key-password").fill(password);
    await c.get("key-compute").click();
    await page.locator("[data-testid=keys-same][data-same=true]").waitFor();
    await page.locator("[data-testid=key-compute]:not([disabled])").waitFor();
  };

  await compute({ ...vectors.cipher[0], type: vectors.cipher[0].cipherType });
  // Covered, until somebody wants to see it.
  assert.deepEqual(await value("AES-128 key"), []);
  assert.ok(!(await page.locator("[data-testid=keys-result]").innerText()).includes(vectors.cipher[0].aes128_key));
  await c.get("key-show").click();

  for (const vector of vectors.cipher) {
    await compute({ ...vector, type: vector.cipherType });
    assert.deepEqual(await value("bytes"), [vector.content_hex]);
    assert.deepEqual(await value("SHA-256"), [vector.sha256]);
    assert.deepEqual(await value("AES-128 key"), [vector.aes128_key, vector.aes128_key], `type ${vector.cipherType}`);
    assert.deepEqual(await value("/awss/cipher/get"), [vector.data_as_returned_inferred, vector.data_as_returned_inferred]);
  }
  let passwords = 0;
  for (const { secret, security_level: type, random, key, plain, passwd_hex } of vectors.awss_password) {
    if (!places.has(secret)) continue;
    await compute({ type, secret, random, password: plain });
    assert.deepEqual(await value("AES-128 key"), [key, key]);
    assert.deepEqual(await value("AES-128-CBC"), [passwd_hex, passwd_hex]);
    passwords += 1;
  }
  assert.equal(passwords, vectors.awss_password.length);

  // Under another secret they differ, and it is said where.
  await c.get("key-secret").fill("another");
  await c.get("key-compute").click();
  await page.locator("[data-testid=keys-same][data-same=false]").waitFor();
  assert.match(await c.get("keys-same").innerText(), /differ from byte 0/);
});

behaviour("a Bluetooth key takes productId and MAC address, and an input that cannot be used is named", { world: "tab" }, async (c) => {
  await open(c, "keys");
  await c.get("key-type").selectOption("6");
  await c.page.waitForFunction(() => document.querySelector("[data-testid=key-product_id]")?.value !== "");
  await c.get("key-take-secret").click();
  await c.page.waitForFunction(() => document.querySelector("[data-testid=key-secret]")?.value !== "");
  await c.get("key-mac").fill("11:22:33:44:55:66");
  await c.get("key-compute").click();
  await c.page.locator("[data-testid=keys-same][data-same=true]").waitFor();
  await c.get("key-random").fill("00");
  await c.get("key-compute").click();
  assert.match(await c.get("keys-wrong").innerText(), /random/i);
});
