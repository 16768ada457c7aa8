// A fleet that keeps what it has to keep in IndexedDB is stopped, started and opened in the moment in which a secret is on
// its way there. krtyun gives its secret once: who does not wait for it has lost it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Clouds, Slow, online, rows } from "./support/inside.js";

const NAMES = ["way-1", "way-2", "way-3"];
const bounds = { at_once: 10 };

/** A fleet whose first secrets are on their way to a storage that does not answer yet. */
async function storing() {
  const clouds = await Clouds.start();
  await clouds.import("krtyun", NAMES);
  const store = new Slow();
  const fleet = clouds.fleet("krtyun", NAMES, { store, bounds });
  fleet.run();
  const call = await store.next("a secret");
  assert.ok(call.names.every((name) => name.endsWith("/credential")), call.names.join());
  return { clouds, store, fleet, call };
}

test("a run that begins while the last one's secrets are on their way begins with them", async () => {
  const { clouds, store, fleet, call } = await storing();
  const issued = clouds.issued();
  const stopped = fleet.stop();
  fleet.run();
  assert.equal(fleet.status().phase, "idle", "it waits");
  assert.equal(fleet.status().counts.off, NAMES.length);
  store.quick = true;
  call.resolve();
  await stopped;
  for (const late of store.calls) late.resolve();
  await online(fleet, NAMES.length);
  assert.equal(clouds.issued(), NAMES.length, "each got one secret");
  assert.ok(issued > 0);
  assert.equal(rows(fleet).filter(({ registered }) => registered === "before").length, call.names.length, "those came with what was on its way");
  await fleet.stop();
});

test("a run that was asked for and taken back does not begin", async () => {
  const { store, fleet, call } = await storing();
  const stopped = fleet.stop();
  fleet.run();
  fleet.pause();
  store.quick = true;
  call.resolve();
  await stopped;
  assert.equal(fleet.status().phase, "idle");
  assert.equal(fleet.status().counts.off, NAMES.length);
});

test("a device that is taken out in that moment comes with its secret", async () => {
  const { clouds, store, fleet, call } = await storing();
  const at = rows(fleet).find(({ name }) => call.names[0].endsWith(`/${name}/credential`)).n;
  let given = false;
  const taking = fleet.take(at).then((taken) => ((given = true), taken));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(!given, "it waits");
  store.quick = true;
  call.resolve();
  const taken = await taking;
  assert.deepEqual(taken.stored.map(([name]) => name), ["credential"]);
  assert.equal(fleet.status().counts.taken, 1);
  for (const late of store.calls) late.resolve();
  await online(fleet, NAMES.length - 1);
  assert.equal(clouds.issued(), NAMES.length);
  await fleet.stop();
  assert.equal(await fleet.take(99), undefined, "there is none of this number");
});

test("a device whose secret could not be stored is not handed out without it", async () => {
  const { store, fleet, call } = await storing();
  const at = rows(fleet).find(({ name }) => call.names[0].endsWith(`/${name}/credential`)).n;
  const taking = fleet.take(at);
  store.quick = true;
  call.reject(new Error("full"));
  await assert.rejects(taking, (error) => error.code === "storage" && /in the fleet as before/.test(error.next));
  assert.equal(fleet.status().counts.taken, 0);
  assert.equal(rows(fleet)[at].state, "off");
  for (const late of store.calls) late.resolve();
  await fleet.stop();
});
