import assert from "node:assert/strict";
import { cp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { test } from "node:test";
import { installed, run } from "./support/site.js";
import { Up } from "./support/up.js";

const PLATFORMS = ["ucloud", "cmcc", "krtyun", "alibaba"];
const PROGRAM = `
import { Device } from "muster-device";
import { directory } from "muster-device/node";
const demo = JSON.parse(process.env.DEMO);
const [timeout, ...platforms] = process.argv.slice(2);
for (const platform of platforms) {
  const device = await Device.start({ platform, settings: demo[platform].settings, storage: directory("kept-" + platform) });
  await device.ready({ timeout: Number(timeout) }).then(() => console.log(platform, device.identity?.device ?? "known"), (error) => console.log(platform, error.name, error.message));
  await device.stop();
}
`;

test("devices in Node come online at the local clouds, and the second time with the secret they have", { timeout: 120_000 }, async () => {
  const up = await Up.start();
  const folder = await installed();
  try {
    const demo = await up.get("/api/demo");
    for (const [platform, broker] of Object.entries(up.line.ws)) demo[platform].settings.broker = broker;
    await writeFile(join(folder, "program.mjs"), PROGRAM);
    const go = async (platforms = PLATFORMS, timeout = 20_000) => {
      const env = { ...process.env, DEMO: JSON.stringify(demo) };
      const { stdout } = await run("node", ["program.mjs", String(timeout), ...platforms], { cwd: folder, env, timeout: 60_000 });
      return stdout.trim().split("\n");
    };
    if (typeof WebSocket === "undefined") {
      const [ucloud] = await go(["ucloud"], 3_000);
      assert.match(ucloud, /TimedOut .*npm install ws/, "without a WebSocket it says what to install");
      await cp(dirname(createRequire(import.meta.url).resolve("ws/package.json")), join(folder, "node_modules/ws"), { recursive: true });
    }
    const first = await go();
    assert.deepEqual(first.map((line) => line.split(" ").length), [2, 2, 2, 2], first.join("\n"));
    const logged = (await up.log("ucloud")).filter((line) => line.what === "secret_issued").length;
    const second = await go();
    assert.deepEqual(second.map((line) => line.split(" ")[0]), PLATFORMS);
    assert.ok(second.every((line) => line.split(" ").length === 2), second.join("\n"));
    assert.equal((await up.log("ucloud")).filter((line) => line.what === "secret_issued").length, logged, "nothing registered a second time");
    assert.equal(logged, 1);
  } finally {
    await up.end();
    await rm(folder, { recursive: true, force: true });
  }
});
