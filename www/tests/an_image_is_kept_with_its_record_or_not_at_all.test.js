// The clouds of a tab acknowledge nothing that is not kept, and keep nothing that they refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Clouds, Slow } from "./support/inside.js";

const image = (clouds, version = "2.0.0") => ({ platform: "ucloud", product: clouds.product("ucloud"), version });
const bytes = (seed) => new Uint8Array(5000).fill(seed);
const images = (store) => store.calls.flatMap(({ names }) => names).filter((name) => name.startsWith("image/"));

test("an image and its record are kept in one transaction, and the answer comes after it", async () => {
  const store = new Slow();
  store.quick = true;
  const clouds = await Clouds.start(store);
  store.quick = false;
  store.seen = store.calls.length;
  let answered = false;
  const adding = clouds.cloud.addFirmware(image(clouds), bytes(1)).then(() => (answered = true));
  const call = await store.next("the image");
  assert.equal(call.names.filter((name) => name.startsWith("image/")).length, 1);
  assert.ok(call.names.some((name) => name.startsWith("ucloud/")), call.names.join());
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.ok(!answered, "it waits");
  call.resolve();
  await adding;
});

test("a refused image leaves nothing behind", async () => {
  const store = new Slow();
  store.quick = true;
  const clouds = await Clouds.start(store);
  await clouds.cloud.addFirmware(image(clouds), bytes(1));
  assert.equal(images(store).length, 1);
  await assert.rejects(clouds.cloud.addFirmware(image(clouds), bytes(2)), (error) => error.code === "exists");
  await assert.rejects(clouds.cloud.addFirmware({ ...image(clouds), product: "nobody" }, bytes(3)), (error) => error.code === "not_found");
  assert.equal(images(store).length, 1);
  await clouds.cloud.addFirmware(image(clouds, "2.0.1"), bytes(2));
  assert.equal(images(store).length, 2);
});

test("what cannot be kept is not acknowledged, and nobody waits for ever behind it", async () => {
  const store = new Slow();
  store.quick = true;
  const clouds = await Clouds.start(store);
  store.quick = false;
  store.seen = store.calls.length;
  const stopped = (error) => error.code === "stopped";
  const adding = clouds.cloud.addFirmware(image(clouds), bytes(1));
  const call = await store.next("the image");
  const behind = [clouds.cloud.addFirmware(image(clouds, "2.0.1"), bytes(2)), clouds.cloud.demo(), clouds.import("ucloud", ["late-1"])];
  const waiting = [adding, ...behind].map((promise) => assert.rejects(promise, stopped));
  call.reject(new Error("quota exceeded"));
  await Promise.all(waiting);
  await assert.rejects(clouds.cloud.demo(), stopped);
});
