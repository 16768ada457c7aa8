import assert from "node:assert/strict";
import { test } from "node:test";
import { Clouds, Slow, rows, until } from "./support/inside.js";

const told = (key, text) => (error) => error.code !== undefined && error.data?.key === key && text.test(error.message);

test("a bound or a state of a name that nobody knows is refused", async () => {
  const clouds = await Clouds.start();
  assert.throws(() => clouds.fleet("ucloud", ["bad-1"], { bounds: { reportEvery: 5000 } }), told("reportEvery", /known are .*report_every/));
  const fleet = clouds.fleet("ucloud", ["bad-1"], { bounds: { report_every: 5000 } });
  assert.throws(() => fleet.set({ atOnce: 5 }), told("atOnce", /known are .*at_once/));
  assert.throws(() => fleet.rows({ states: ["online", "onlin"], from: 0, count: 1 }), told("states", /no device is in/));
  assert.equal(fleet.rows({ states: ["waiting"], from: 0, count: 1 }).total, 1);
});

test("a device that cannot start with what it stored says so, instead of waiting for ever", async () => {
  const clouds = await Clouds.start();
  await clouds.import("ucloud", ["bad-1", "bad-2"]);
  const product = clouds.product("ucloud");
  const junk = new TextEncoder().encode("no credential");
  const stored = [[`${product}/bad-1/credential`, junk], [`${product}/bad-2/version`, new TextEncoder().encode("1".repeat(4000))]];
  const store = new Slow();
  store.quick = true;
  const fleet = clouds.fleet("ucloud", ["bad-1", "bad-2"], { store, stored });
  fleet.run();
  const failed = await until(() => rows(fleet).every(({ state }) => state === "failed") && rows(fleet), "both fail");
  for (const { error, advice } of failed) assert.deepEqual([error, advice], [{ blame: "local", failure: "store" }, "check_storage"]);
  // They are offered another try: it is one, and it ends.
  fleet.tryAgain();
  assert.equal(fleet.status().counts.waiting, 2);
  await until(() => fleet.status().counts.failed === 2, "both fail again");
  assert.equal(fleet.status().causes[0].times, 4);
  await fleet.stop();
});
