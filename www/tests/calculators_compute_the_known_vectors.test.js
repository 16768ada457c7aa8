import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { behaviour } from "./support/console.js";

/** Results on which independent implementations agreed; the file says which. */
const vectors = JSON.parse(await readFile(new URL("../../tests/vectors/alibaba.json", import.meta.url), "utf8"));

/** Puts values into the open calculator and waits for a result that is computed from them. */
async function compute(c, values, expected) {
  for (const [name, value] of Object.entries(values)) {
    const input = c.get(`tool-input-${name}`);
    if ((await input.evaluate((element) => element.tagName)) === "SELECT") await input.selectOption(value);
    else await input.fill(value);
  }
  const [name, value] = expected;
  await c.page
    .waitForFunction(([name, value]) => document.querySelector(`[data-testid=tool-result] [data-name="${name}"]`)?.textContent?.trim() === value, [name, value])
    .catch(async () => assert.equal(await c.page.locator(`[data-testid=tool-result] [data-name="${name}"]`).innerText().catch(() => "nothing"), value, JSON.stringify(values)));
}

const open = async (c, tool) => {
  await c.page.goto(`${c.up.origin}/#/tools/${tool}`);
  await c.page.locator(`[data-testid=tool-${tool}][aria-current=page]`).waitFor();
};
const lines = (pairs, separator) => pairs.map(([name, value]) => `${name}${separator}${value}`).join("\n");
/** Results are read as they are once the secrets are asked for. */
const reveal = (c) => c.get("tool-reveal").check();

behaviour("signatures of the API gateway", { view: "tools/sign" }, async (c) => {
  await reveal(c);
  for (const vector of vectors.api_gateway_signature) {
    const { algorithm, secret, method, path, query, form, headers, body } = vector;
    await compute(c, { algorithm, secret, method, path, query: lines(query, "="), form: lines(form, "="), headers: lines(headers, ": "), body: body ?? "" }, ["signature", vector.signature]);
    const text = await c.page.locator("[data-testid=tool-string] li").evaluateAll((found) => found.map((line) => line.textContent));
    assert.deepEqual(text, vector.string_to_sign.split("\n"), vector.name);
  }
});

behaviour("keys of provisioning, and Wi-Fi passwords both ways", { view: "tools/cipher" }, async (c) => {
  await reveal(c);
  for (const { cipherType, secret, random, mac, aes128_key, sha256, content_hex } of vectors.cipher) {
    await compute(c, { type: String(cipherType), secret, random, ...(mac ? { mac } : {}) }, ["key", aes128_key]);
    const steps = await c.get("tool-steps").innerText();
    for (const value of [sha256, content_hex, aes128_key.toUpperCase()]) assert.ok(steps.includes(value ?? ""), `${cipherType}: ${value}`);
  }
  await open(c, "wifi");
  await reveal(c);
  for (const { key, random, plain, passwd_hex } of vectors.awss_password) {
    await compute(c, { do: "encrypt", key, random, password: plain }, ["passwd", passwd_hex]);
    await compute(c, { do: "decrypt", passwd: passwd_hex }, ["password", plain]);
  }
});

behaviour("logins and registrations, by every sign method", { view: "tools/credentials" }, async (c) => {
  await c.get("tool-steps").waitFor();
  await reveal(c);
  for (const { productKey, deviceName, productSecret, random, authType, client_id, username, password } of vectors.dynreg_mqtt) {
    if (authType !== "register") continue;
    await compute(c, { mode: "dynamic-mqtt" }, ["username", "example1&a1X2bEnP82z"]);
    await compute(c, { product_key: productKey, device_name: deviceName, product_secret: productSecret, random, secure_mode: /securemode=(-?\d)/.exec(client_id)[1], sign_method: /signmethod=(\w+)/.exec(client_id)[1], instance_id: /instanceId=([^,|]*)/.exec(client_id)?.[1] ?? "" }, ["client_id", client_id]);
    await compute(c, {}, ["password", password]);
    await compute(c, {}, ["username", username]);
  }
  const { content, deviceSecret, ...methods } = vectors.mqtt_connect_algorithms;
  await compute(c, { mode: "static" }, ["username", "example1&a1X2bEnP82z"]);
  for (const [sign_method, password] of Object.entries(methods)) {
    await compute(c, { product_key: "a1X2bEnP82z", device_name: "example1", device_secret: deviceSecret, timestamp: "1600000000000", sign_method }, ["password", password]);
    assert.equal((await c.get("tool-string").innerText()).trim(), content);
  }
  // The examples of UCloud's document.
  await c.get("tool-input-platform").selectOption("ucloud");
  await compute(c, { mode: "dynamic" }, ["client_id", "70ly1tvowt696r15.112233445566"]);
  await compute(c, { product_secret: "sqx0cltqba402z7z" }, ["username", "70ly1tvowt696r15|112233445566|2"]);
  await compute(c, {}, ["password", "sqx0cltqba402z7z"]);
});

behaviour("check digits and China Mobile's numbers", { view: "tools/imei" }, async (c) => {
  for (const { full, check } of vectors.luhn) {
    await compute(c, { imei: full }, ["imei", full]);
    assert.equal(await c.get("tool-luhn-check").getAttribute("data-check"), String(check), full);
  }
  await open(c, "cmei");
  for (const { cmei, valid } of vectors.cmei_cases) {
    if (!/^\d{15}$/.test(cmei)) continue;
    await compute(c, { cmei }, ["cmei", cmei]);
    await compute(c, {}, ["valid", String(valid)]);
  }
});
