import assert from "node:assert/strict";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";

const encode = (list) => `#/open/1.${Buffer.from(JSON.stringify(list)).toString("base64url")}`;
/** What the browser keeps, and what was asked of the clouds. */
const kept = (page) => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));

behaviour("a link shows what it would make and where that leads, and does nothing until it is agreed to", {}, async (c) => {
  const { page } = c;
  await c.get("start-ucloud").waitFor();
  const before = await kept(page);
  const settings = { product_sn: "p0001", device_sn: "d0001", broker: "wss://xn--uclud-yqf.cn:443", keep_alive: "60", colour: "red" };
  const logged = (await c.up.log("ucloud")).length;
  await page.goto(`${c.up.origin}/${encode([["Probe", "ucloud", "real", settings, ["product_secret"]]])}`);
  await c.get("incoming").waitFor();
  assert.equal(new URL(page.url()).hash, "#/devices", "the link is out of the address bar");
  assert.equal(await c.get("incoming-host").innerText(), "xn--uclud-yqf.cn:443");
  assert.equal(await c.get("incoming-host").getAttribute("data-whose"), "other");
  assert.equal(await c.get("incoming-give").innerText(), "product_secret");
  assert.match(await c.get("incoming-unknown").innerText(), /settings\.colour/);
  assert.equal(await kept(page), before, "nothing was kept");
  await page.keyboard.press("Escape");
  await c.get("incoming").waitFor({ state: "detached" });
  assert.equal(await c.get("device-item").count(), 0);
  assert.equal(await kept(page), before);
  assert.equal((await c.up.log("ucloud")).length, logged, "the clouds heard nothing");
  await page.goBack().catch(() => {});
  assert.equal(await c.get("incoming").count(), 0, "it is not in the history either");
});

behaviour("once agreed to, a device is on the list and off, and asks for the secret that the link left out", {}, async (c) => {
  const { page } = c;
  await c.get("start-ucloud").waitFor();
  await page.goto(`${c.up.origin}/${encode([["Probe", "ucloud", "real", { product_sn: "p0001", device_sn: "d0001", broker: "wss://broker.invalid" }, ["product_secret"]]])}`);
  await c.get("incoming-add").click();
  await c.state("off");
  assert.equal(await c.get("device-item").count(), 1);
  assert.equal(await c.entries("link").count(), 0, "it has not connected");
  await c.get("restart").click();
  assert.match(await c.get("settings-missing").innerText(), /product_secret/);
  await c.get("settings-cancel").click();
  // The same link once more: it is there already.
  await page.goto(`${c.up.origin}/${encode([["Probe", "ucloud", "real", { product_sn: "p0001", device_sn: "d0001", broker: "wss://broker.invalid" }, ["product_secret"]]])}`);
  await c.get("incoming").waitFor();
  assert.ok(await c.get("incoming-add").isDisabled());
});

behaviour("a link of a device of each platform has none of its secrets, and the receiver's device comes online with theirs", {}, async (c) => {
  for (const platform of PLATFORMS) {
    await c.start(platform);
    await c.state("online");
    await c.get("device-share").click();
    const link = await c.get("share-link").inputValue();
    await c.get("share-close").click();
    const list = JSON.parse(Buffer.from(link.split("#/open/1.")[1], "base64url").toString());
    const product = (await c.up.operate(platform, "list_products", { reveal: true })).items.find((item) => item.id === PRODUCT[platform]);
    const devices = (await c.up.operate(platform, "list_devices", { product: PRODUCT[platform], reveal: true, limit: 100 })).items;
    for (const secret of [product.secret, ...devices.map((item) => item.secret)].filter(Boolean)) assert.ok(!JSON.stringify(list).includes(secret), `${platform}: a secret is in the link`);
    // Somebody else, with a device of another name.
    const other = { ucloud: { device_sn: "112233445570" }, cmcc: { device_no: "111234560000029", cmei: "111234560000029" }, krtyun: { device_id: "10005" }, alibaba: { device_name: "example5" } }[platform];
    Object.assign(list[0][3], other);
    const page = await c.context.newPage();
    c.listen(page);
    await page.goto(`${c.up.origin}/${encode(list)}`);
    await c.get("incoming-add", page).click();
    await c.state("off", page);
    await c.get("restart", page).click();
    await c.state("online", page);
    await page.close();
    await c.get("new-device").click();
  }
});

behaviour("a link that is none, or means no good, is refused and says why", {}, async (c) => {
  const { page } = c;
  await c.get("start-ucloud").waitFor();
  const item = (settings, name = "n") => encode([[name, "ucloud", "real", { product_sn: "p0001", device_sn: "d0001", ...settings }, []]]);
  const cases = [
    ["#/open/1.%25%25", "malformed", /damaged/],
    [`#/open/1.${"A".repeat(9000)}`, "too_long", /longer/],
    ["#/open/2.W10", "newer", /version 2/],
    [item({ product_secret: "s" }), "item", /product_secret is a secret/],
    [item({ broker: "javascript:alert(1)" }), "item", /broker is no address/],
    [item({ broker: "wss://iot.ucloud.cn@evil.example/" }), "item", /hides its host/],
    [item({}, "a\u202eb"), "item", /invisible/],
  ];
  for (const [hash, why, text] of cases) {
    await page.evaluate((to) => (location.hash = to), hash);
    await c.get("incoming-refused").waitFor();
    assert.equal(await c.get("incoming-refused").getAttribute("data-why"), why, hash);
    assert.match(await c.get("incoming-refused").innerText(), text);
    assert.equal(new URL(page.url()).hash, "#/devices");
    await c.get("incoming-close").click();
    await c.get("incoming").waitFor({ state: "detached" });
  }
  assert.equal(await c.get("device-item").count(), 0);
});
