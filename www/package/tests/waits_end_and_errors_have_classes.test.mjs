import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { project } from "./support/package.mjs";

let installed;
let muster;
before(async () => {
  installed = await project();
  muster = await import(pathToFileURL(join(installed.package, "dist/node.js")).href);
});
after(() => installed.end());

const SOON = { timeout: 20_000 };

async function online(t, platform = "ucloud", more = {}) {
  const cloud = await muster.Cloud.start();
  t.after(() => cloud.stop());
  const device = await muster.Device.start({ platform, cloud, ...more });
  t.after(() => device.stop());
  await device.ready(SOON);
  return { cloud, device };
}

test("a setting that cannot be used names itself", async () => {
  const settings = { broker: "ws://127.0.0.1:1/", product_sn: "muster0ucloud001", device_sn: "112233445566", colour: "red" };
  await assert.rejects(muster.Device.start({ platform: "ucloud", settings }), (error) => error instanceof muster.SettingsError && error.code === "config" && error.key === "colour");
  await assert.rejects(muster.Device.start({ platform: "ucloud" }), { code: "misuse" });
  await assert.rejects(muster.Device.start({ platform: "ucloud", settings, storage: "browser" }), (error) => error instanceof muster.StorageError && error.code === "storage");
});

test("ready() is late, is called off, or is there at once", async () => {
  // Nobody answers on this port.
  const settings = { broker: "ws://127.0.0.1:1/", product_sn: "muster0ucloud001", product_secret: "abcdefghijklmnop", device_sn: "112233445566" };
  const device = await muster.Device.start({ platform: "ucloud", settings });
  await assert.rejects(device.ready({ timeout: 50 }), (error) => error instanceof muster.TimedOut && error.message.startsWith("ready: not within 50 ms"));
  await assert.rejects(device.ready({ timeout: -1 }), RangeError);
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(device.ready({ signal: controller.signal }), (error) => error === reason);
  await assert.rejects(device.ready({ signal: controller.signal }), (error) => error === reason);
  const waiting = device.until("ready");
  await device.stop();
  await assert.rejects(waiting, { code: "stopped" });
  await assert.rejects(device.ready(), { code: "stopped" });
});

test("ready() of one that is online settles at once, and again after its network was gone", async (t) => {
  const { device } = await online(t);
  await device.ready({ timeout: 1 });
  const { seq } = await device.until("ready");
  await device.dropNetwork();
  await device.until("retrying", SOON, seq);
  await device.ready(SOON);
  const later = await device.until("ready", SOON, seq);
  assert.ok(later.seq > seq);
});

test("a signal stops the device, and a start that is called off leaves none", async (t) => {
  const controller = new AbortController();
  const { cloud, device } = await online(t, "krtyun", { signal: controller.signal });
  controller.abort();
  assert.equal(await device.ended, undefined);
  assert.equal(device.state, "off");
  await assert.rejects(muster.Device.start({ platform: "krtyun", cloud, signal: controller.signal }), { name: "AbortError" });
  await assert.rejects(muster.Cloud.start({ signal: controller.signal }), { name: "AbortError" });
  const soon = new AbortController();
  const starting = muster.Device.start({ platform: "krtyun", cloud, signal: soon.signal });
  soon.abort();
  await assert.rejects(starting, { name: "AbortError" });
});

test("readers come late, leave early, and do not take from each other", async (t) => {
  const { device } = await online(t);
  const events = async () => {
    const names = [];
    for await (const event of device) {
      names.push(event.event);
      if (event.event === "ready") break;
    }
    return names;
  };
  const [one, two] = await Promise.all([events(), events()]);
  assert.deepEqual(one, two);
  assert.ok(one.length > 5);
  let packets = 0;
  for await (const entry of device.timeline) {
    if (entry.kind === "mqtt") packets += 1;
    if (entry.kind === "mqtt" && entry.packet.type === "CONNECT") {
      assert.match(entry.packet.password, /^\*+$/);
      const look = await device.packet(entry.seq, { reveal: true });
      assert.equal(look.bytes.length, entry.packet.size);
    }
    if (entry.kind === "event" && entry.event.event === "ready") break;
  }
  assert.ok(packets > 5);
});

test("stopping is idempotent, also by disposal, and ends every reader", async (t) => {
  const { cloud, device } = await online(t);
  const reading = (async () => {
    const names = [];
    for await (const event of device) names.push(event.event);
    return names;
  })();
  await Promise.all([device.stop(), device.stop(), device[Symbol.asyncDispose]()]);
  assert.ok((await reading).includes("ready"));
  await device.cutPower();
  await assert.rejects(device.intend({ intent: "report" }), { code: "stopped" });
  await cloud[Symbol.asyncDispose]();
  await cloud.stop();
});

test("what an operator may not do, and what a platform does not have, are refusals", async (t) => {
  const { cloud, device } = await online(t);
  await assert.rejects(cloud.operate({ platform: "ucloud", action: "get_device", product: "none", name: "none" }), (error) => error instanceof muster.CloudRefused || error instanceof muster.MusterError);
  await assert.rejects(cloud.addFirmware({ platform: "ucloud", product: "none", version: "1", bytes: new Uint8Array(1) }), (error) => error instanceof muster.CloudRefused && error.code === "not_found");
  // What cannot be used was refused by no cloud.
  const misused = (error) => error instanceof muster.MusterError && !(error instanceof muster.CloudRefused) && error.code === "misuse" && error.data.key !== undefined;
  await assert.rejects(device.intend({ intent: "dance" }), misused);
  await assert.rejects(device.faults.arm([{ fault: "delay" }]), misused);
  await assert.rejects(muster.tools.cipher({ type: 9 }), misused);
  await assert.rejects(device.intend({ intent: "new_bind_token" }), (error) => error instanceof muster.MusterError);
});

test("both halves of a bind meet in one process", async (t) => {
  const { cloud, device } = await online(t, "alibaba");
  const app = await muster.App.start({ cloud });
  t.after(() => app.stop());
  const { product, device: name } = device.identity;
  const { token } = await device.until("bind_token", SOON);
  await app.bind({ devices: [{ product_key: product, device_name: name }], by: "token", token });
  for await (const event of app) {
    assert.notEqual(event.event, "failed");
    if (event.event === "bound") break;
  }
});

test("calculators answer", async () => {
  assert.equal((await muster.tools.imeiCheck("490154203237518")).valid, true);
  assert.equal((await muster.tools.imeiCheck("49015420323751x")).valid, false);
});

test("a thread that dies ends what lives in it with MusterDied, and the program goes on with another one", async () => {
  await installed.file("doomed.mjs", `import "./node_modules/muster-device/dist/node-worker-all.js"; setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable"); }, 1_500);`);
  const instance = await muster.load({ workerAll: pathToFileURL(join(installed.folder, "doomed.mjs")) });
  const cloud = await muster.Cloud.start({ muster: instance });
  const device = await muster.Device.start({ platform: "ucloud", cloud });
  await device.ready(SOON);
  const waiting = device.until("stopped");
  await assert.rejects(waiting, (error) => error instanceof muster.MusterDied && error.message.includes("unreachable"));
  assert.ok((await device.ended) instanceof muster.MusterDied);
  assert.equal(device.state, "off");
  await device.stop();
  await cloud.stop();
  await assert.rejects(muster.Cloud.start({ muster: instance }), (error) => error instanceof muster.MusterDied);

  await assert.rejects(muster.load({ worker: pathToFileURL(join(installed.folder, "nowhere.mjs")) }), (error) => error instanceof muster.MusterDied);
  const fresh = await muster.Cloud.start();
  await fresh.stop();
});

test("a program whose devices have stopped ends by itself, and not before", async () => {
  const printed = await installed.node(`import { Cloud, Device } from "muster-device";
const cloud = await Cloud.start();
const device = await Device.start({ platform: "cmcc", cloud });
void device.ready().then(async () => { console.log("online"); await new Promise((resolve) => setTimeout(resolve, 100).unref()); console.log("still here"); await device.stop(); await cloud.stop(); console.log("over"); });`);
  assert.equal(printed, "online\nstill here\nover\n");
});
