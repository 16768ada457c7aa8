import assert from "node:assert/strict";
import mqtt from "mqtt";
import { behaviour } from "./support/console.js";
import { Mosquitto } from "./support/mosquitto.js";

const OWN = "/muster0ucloud001/112233445566/user";
const outcome = (c, word) => c.page.locator(`[data-testid=message-outcome][data-word=${word}]`);

async function write(c, { topic, payload, qos = 0, form = "text" }) {
  await c.get("message-topic").fill(topic);
  await c.get("message-payload").fill(payload);
  await c.get(`message-qos-${qos}`).click();
  await c.get(`message-form-${form}`).click();
}

behaviour("a message is published beside the device's own; what is wrong with it is told before it leaves", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("ucloud");
  await c.state("online");
  await c.get("panel-messages").click();

  await c.get("message-send").click();
  assert.match(await c.get("message-topic-wrong").innerText(), /Name the topic/);
  await write(c, { topic: `${OWN}/#`, payload: '{"a":', form: "json" });
  assert.match(await c.get("message-topic-wrong").innerText(), /wildcard/);
  assert.match(await c.get("message-payload-wrong").innerText(), /no JSON/);
  await c.get("message-send").click();
  assert.equal(await c.entries("mqtt", "PUBLISH").filter({ hasText: "user/" }).count(), 0, "nothing left");

  await write(c, { topic: `${OWN}/update`, payload: '{"a":1}', form: "json", qos: 1 });
  await c.get("message-send").click();
  await outcome(c, "sent").waitFor();
  assert.match(await c.get("message-outcome").innerText(), /^7 bytes acknowledged after \d+ ms$/);
  await c.entries("mqtt", "PUBLISH").filter({ hasText: "user/update" }).first().waitFor();

  await write(c, { topic: `${OWN}/raw`, payload: "00 ff:A0", form: "hex" });
  await c.get("message-payload").press("Control+Enter");
  await c.get("message-outcome").filter({ hasText: "3 bytes sent" }).waitFor();
  assert.match(await c.get("message-outcome").innerText(), /QoS 0 is not acknowledged/);

  // The device's own flows are not to be spoken into.
  await write(c, { topic: "/$system/muster0ucloud001/112233445566/password", payload: "x" });
  await c.get("message-send").click();
  await outcome(c, "refused").waitFor();
  assert.match(await c.get("message-outcome").innerText(), /on which the device itself speaks/);

  // What was sent comes again, and outlives a reload.
  await c.get("message-before").selectOption("1");
  assert.deepEqual([await c.get("message-topic").inputValue(), await c.get("message-payload").inputValue()], [`${OWN}/update`, '{"a":1}']);
  assert.equal(await c.get("message-form-json").getAttribute("aria-checked"), "true");
  await page.reload();
  await c.get("device-item").first().click();
  if ((await c.get("panel").count()) === 0) await c.get("panel-messages").click();
  await c.get("message-topic").waitFor();
  assert.equal(await c.get("message-topic").inputValue(), `${OWN}/update`);
  assert.ok(await c.get("message-send").isDisabled(), "a device that is off sends nothing");
  assert.match(await c.get("message-off").innerText(), /not ready/);

  // China Mobile's devices speak HTTP.
  await c.get("new-device").click();
  await c.start("cmcc");
  await c.state("online");
  await c.get("panel-faults").waitFor();
  assert.equal(await c.get("panel-messages").count(), 0);
});

const broker = {
  before: async () => {
    const mosquitto = await Mosquitto.start();
    return { mosquitto, hosts: [`127.0.0.1:${mosquitto.websocket}`], end: () => mosquitto.end() };
  },
  // It is gone for a while.
  complaints: [/WebSocket connection to .* failed/],
};

behaviour("what others publish on a topic is listened to, at a real broker, and again after it was gone", broker, async (c) => {
  const { mosquitto } = c.before;
  await c.get("world-real").click();
  await c.enter("ucloud", { product_sn: "p0000001", device_sn: "d0000001", device_secret: "a-secret-of-sixteen", broker: `ws://127.0.0.1:${mosquitto.websocket}/mqtt` });
  await c.state("online");
  await c.get("panel-messages").click();
  const topic = "/p0000001/d0000001/user/get";
  await c.get("listen-topic").fill(topic);
  await c.get("listen-qos-1").click();
  await c.get("listen").click();
  const listening = (state) => c.page.locator(`[data-testid=listening][data-topic="${topic}"][data-state=${state}]`).waitFor();
  await listening("on");

  const other = await mqtt.connectAsync(`mqtt://127.0.0.1:${mosquitto.tcp}`);
  // The broker is gone for a while: it tries again by itself.
  other.on("error", () => {});
  try {
    const heard = new Promise((done) => other.once("message", (on, payload) => done([on, payload.toString()])));
    await other.subscribeAsync("/p0000001/d0000001/user/update");
    await other.publishAsync(topic, '{"light":3}', { qos: 1 });
    const first = c.get("received").first();
    await first.waitFor();
    assert.match(await first.innerText(), /user\/get\s*QoS 1[\s\S]*\{"light":3\}/);
    await write(c, { topic: "/p0000001/d0000001/user/update", payload: '{"light":3}', form: "json", qos: 1 });
    await c.get("message-send").click();
    assert.deepEqual(await heard, ["/p0000001/d0000001/user/update", '{"light":3}']);

    await mosquitto.kill();
    await listening("waiting");
    await mosquitto.run();
    await c.state("online", c.page, 60_000);
    await listening("on");
    await new Promise((done) => (other.connected ? done() : other.once("connect", done)));
    await other.publishAsync(topic, Buffer.from([0xff, 0xfe]), { qos: 0 });
    await c.get("received").filter({ hasText: "2 bytes, no text" }).waitFor();

    await c.get("listen-forget").click();
    assert.equal(await c.get("listening").count(), 0);
    await other.publishAsync(topic, "not listened to", { qos: 0 });
    await other.publishAsync(topic, "nor this", { qos: 1 });
    await c.entries("mqtt", "PUBLISH").filter({ hasText: "user/get" }).nth(3).waitFor();
    assert.equal(await c.get("received").count(), 2);
  } finally {
    await other.endAsync(true);
  }
});
