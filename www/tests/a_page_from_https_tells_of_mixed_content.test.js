// A page from https may not talk to ws:// or http://. The page is the one that `muster up` serves, under another name: the
// browser takes what the test answers for that host as if it came from there with TLS.
import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

const HOST = "console.test";
const ELSEWHERE = "cloud.test";
const DEVICE = {
  ucloud: { broker: `ws://${ELSEWHERE}:8080/mqtt`, product_sn: "muster0ucloud001", product_secret: "0123456789abcdef", device_sn: "112233445566" },
  cmcc: { environment: "local", base_url: `http://${ELSEWHERE}:8080`, product_id: "1234567890123", product_key: "0123456789abcdef", device_no: "SN00000001", cmei: "111234560000011" },
};

// No page may ask for the other host, not even to look whether it is there: it is in no list here.
behaviour("on a page from https an unprotected broker and server are told as mixed content before anything is sent, with what to do", { hosts: [HOST], complaints: [/console\.test/] }, async (c) => {
  await c.context.route(`https://${HOST}/**`, async (route) => {
    const { pathname, search } = new URL(route.request().url());
    const response = await fetch(`${c.up.origin}${pathname}${search}`);
    const headers = Object.fromEntries([...response.headers].filter(([name]) => !["content-encoding", "content-length", "transfer-encoding"].includes(name)));
    await route.fulfill({ status: response.status, headers, body: Buffer.from(await response.arrayBuffer()) });
  });
  const page = await c.context.newPage();
  c.listen(page);
  await page.goto(`https://${HOST}/#/devices`);
  await c.get("world-real", page).click();
  for (const [platform, settings] of Object.entries(DEVICE)) {
    // Said while the address is typed.
    await c.get(`start-${platform}`, page).click();
    await c.fill(settings, page);
    await page.locator("[data-testid=reach] [data-reach=mixed_content]").waitFor();
    // And by the device itself, if it is tried all the same.
    await c.get("way-direct", page).check();
    await c.get("settings-start", page).click();
    const reason = page.locator("[data-testid=trouble-reason][data-reason=mixed_content]");
    await reason.waitFor();
    assert.match(await c.get("trouble", page).innerText(), /wss:|https:/, "what to use instead");
    await c.first(page);
  }
  await page.close();
});
