// Onboarding as a test. Run it with `node --test`: it opens no port and needs no network.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Cloud, Device, DeviceStopped } from "muster-device";
import { directory } from "muster-device/node";

const SOON = { timeout: 20_000 };

/** Clouds that end with the test, and their devices with them. */
async function clouds(t) {
  const cloud = await Cloud.start();
  t.after(() => cloud.stop());
  return cloud;
}

/** A device that ends with the test, whatever comes of it. */
async function start(t, options) {
  const device = await Device.start(options);
  t.after(() => device.stop());
  return device;
}

for (const platform of ["ucloud", "cmcc", "krtyun", "alibaba"]) {
  test(`${platform}: a new device registers, keeps its secret and comes online`, async (t) => {
    const cloud = await clouds(t);
    const device = await start(t, { platform, cloud });
    await device.ready(SOON);
    assert.equal(device.state, "online");
    assert.equal(device.identity.platform, platform);

    // Every event since the start, in order.
    const events = [];
    for await (const { event } of device) {
      events.push(event);
      if (event === "ready") break;
    }
    assert.ok(events.includes("registered"));
  });
}

test("a device that lost its power comes back with the secret it has, and registers nothing", async (t) => {
  const place = await mkdtemp(join(tmpdir(), "device-"));
  t.after(() => rm(place, { recursive: true }));
  const cloud = await clouds(t);
  const settings = (await cloud.demo()).ucloud.settings;
  const first = await start(t, { platform: "ucloud", settings, cloud, storage: directory(place) });
  await first.ready(SOON);
  const credential = await first.credential();
  await first.cutPower();

  const second = await start(t, { platform: "ucloud", settings, cloud, storage: directory(place) });
  await second.ready(SOON);
  assert.equal(await second.credential(), credential);
  const steps = [];
  for await (const event of second) {
    if (event.event === "step") steps.push(event.step);
    if (event.event === "ready") break;
  }
  assert.ok(!steps.includes("request_secret"), `it went ${steps.join(", ")}`);
});

test("the power goes between receiving the secret and storing it: the next life still ends online", async (t) => {
  const cloud = await clouds(t);
  const faults = [{ fault: "power_cut", key: "credential", when: "before" }];
  const first = await start(t, { platform: "ucloud", cloud, name: "unlucky", faults });
  await first.ended;
  assert.notEqual(first.cut, null);

  const second = await start(t, { platform: "ucloud", cloud, name: "unlucky" });
  await second.ready(SOON);
  assert.ok(await second.credential());
});

test("an update is offered, downloaded, checked, installed and reported", async (t) => {
  const cloud = await clouds(t);
  const device = await start(t, { platform: "ucloud", cloud });
  await device.ready(SOON);
  const { product, device: name } = device.identity;

  await cloud.addFirmware({ platform: "ucloud", product, version: "2.0.0", bytes: new Uint8Array(100_000).fill(7) });
  await cloud.operate({ platform: "ucloud", action: "push_upgrade", product, devices: [name], version: "2.0.0" });
  const done = await device.until((event) => event.event === "update" && event.update.phase === "reported", SOON);
  assert.equal(done.update.version, "2.0.0");
});

test("a refused registration stops the device, and the error says who refused and what to do", async (t) => {
  const cloud = await clouds(t);
  const { settings } = (await cloud.demo()).ucloud;
  const device = await start(t, { platform: "ucloud", cloud, settings: { ...settings, device_sn: "999999999999" } });
  await assert.rejects(device.ready(SOON), (error) => {
    assert.ok(error instanceof DeviceStopped);
    assert.equal(error.error.blame, "rejected");
    assert.equal(error.advice, "import_device");
    return true;
  });});
