import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { elsewhere, settingsOf } from "./support/elsewhere.js";

const complaints = [/blocked by CORS policy/, /Failed to load resource: net::ERR_FAILED/];

behaviour("cmcc: a server that lets no page in is reached by the relay, and hears the device's address", { world: "real", before: () => elsewhere(), complaints }, async (c) => {
  const { cloud } = c.before;
  const settings = await settingsOf(cloud, "cmcc");
  await c.get("start-cmcc").click();
  await c.fill(settings);
  await c.page.locator("[data-testid=reach] [data-reach=cors]").waitFor();
  await c.get("settings-start").click();
  await c.page.locator("[data-testid=trouble-reason][data-reason=cors]").waitFor();
  await c.get("go-by-relay").click();
  await c.state("online");

  const posts = c.entries("http", "POST");
  assert.ok((await posts.allInnerTexts()).some((text) => text.includes("by the relay")), await posts.allInnerTexts());
  await posts.last().locator("button").first().click();
  const request = await c.get("detail").innerText();
  assert.ok(request.includes(settings.base_url) && request.includes("by the relay of this page's server"), request);
  const { items } = await cloud.operate("cmcc", "list_reports", { product: settings.product_id, device: settings.device_no });
  assert.match(JSON.stringify(items), /X-AI-IP\\*":\\*"127\.0\.0\.1/);
});

behaviour("alibaba: registration over HTTP and login over TCP go by the relay", { world: "real", before: () => elsewhere() }, async (c) => {
  const { cloud } = c.before;
  await c.enter("alibaba", await settingsOf(cloud, "alibaba"), "relay");
  await c.state("online");
  assert.ok((await c.entries("http", "POST").allInnerTexts()).some((text) => text.includes("by the relay")));
  assert.ok((await c.entries("link").allInnerTexts()).some((text) => text.includes(cloud.line.mqtt.alibaba)));
});
