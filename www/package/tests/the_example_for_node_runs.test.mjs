import assert from "node:assert/strict";
import { test } from "node:test";
import { project, run } from "./support/package.mjs";

test("the example for Node passes, installed from the tarball", { timeout: 120_000 }, async () => {
  const example = await project("node");
  const begin = Date.now();
  const env = { ...process.env };
  // A test runner inside of one would report to it instead of running.
  delete env["NODE_TEST_CONTEXT"];
  const { stdout } = await run("node", ["--test", "--test-reporter=tap"], { cwd: example.folder, env, timeout: 60_000 });
  assert.match(stdout, /^# pass 8$/m);
  assert.match(stdout, /^# fail 0$/m);
  console.log(`# the example's 8 tests took ${Date.now() - begin} ms`);
  await example.end();
});

test("the other one says what is missing, and ends", async () => {
  const example = await project("node");
  const failed = await run("node", ["watch.mjs"], { cwd: example.folder, timeout: 30_000 }).catch((error) => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^config: setting `broker`: is missing$/m);
  await example.end();
});
